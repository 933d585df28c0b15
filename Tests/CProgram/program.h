/* The parts of the program, in the order in which they run. */
#ifndef PROGRAM_H
#define PROGRAM_H

void check_bad_arguments(void);
void check_functions_without_status(void);
void check_moments(void);
void check_moving_weights(void);
void check_extremes(void);
void check_threads(void);

#endif
