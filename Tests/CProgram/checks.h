/* What has been held and what was found: counts, by function of cep.h. */
#ifndef CHECKS_H
#define CHECKS_H

#include "cep.h"

/* Counts one check of a function; says what did not hold. */
void check(int holds, const char *function, const char *what, const char *found);

/* Counts a call that must have returned a status, with a message that has these words in it. */
void check_status(cep_status status, cep_status expected, const char *words, const char *function,
                  const char *what);

/* Prints how often each function was checked, and how many checks passed and failed.
 * Returns how many failed. */
long print_checks(void);

#endif
