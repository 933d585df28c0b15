/* Calls every function of cep.h with every kind of bad argument, with values as large as they can be, and from
 * several threads. Prints how often each function was checked; the last line counts what passed and failed.
 * tools/c_program.sh builds and runs it. */
#include <stdio.h>

#include "checks.h"
#include "program.h"

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    check_bad_arguments();
    check_functions_without_status();
    check_moments();
    check_moving_weights();
    check_extremes();
    check_threads();
    return print_checks() > 0;
}
