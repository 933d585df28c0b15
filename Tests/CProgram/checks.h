/* Counts checks by function of cep.h. */
#ifndef CHECKS_H
#define CHECKS_H

#include "cep.h"

/* Counts one check of a function, and prints it if it does not hold. */
void check(int holds, const char *function, const char *what);

/* Checks a status, and that a failure has a message. */
void check_status(cep_status status, cep_status expected, const char *function, const char *what);

/* Prints the number of checks of each function and how many passed and failed. Returns how many failed. */
long print_checks(void);

#endif
