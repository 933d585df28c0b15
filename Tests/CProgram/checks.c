#include "checks.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { MOST_FUNCTIONS = 100 };

static struct {
    const char *name;
    long count;
} functions[MOST_FUNCTIONS];
static int function_count;
static long passed, failed;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

void check(int holds, const char *function, const char *what) {
    pthread_mutex_lock(&mutex);
    int i = 0;
    while (i < function_count && strcmp(functions[i].name, function) != 0)
        i++;
    if (i == function_count)
        functions[function_count++].name = function;
    functions[i].count++;
    if (holds) {
        passed++;
    } else if (failed++ < 40) {
        printf("FAILED %s, %s: %s\n", function, what, cep_last_error());
    }
    pthread_mutex_unlock(&mutex);
}

void check_status(cep_status status, cep_status expected, const char *function, const char *what) {
    check(status == expected && (status == CEP_OK || cep_last_error()[0] != 0), function, what);
}

long print_checks(void) {
    for (int i = 0; i < function_count; i++)
        printf("%s %ld\n", functions[i].name, functions[i].count);
    printf("%ld passed, %ld failed\n", passed, failed);
    return failed;
}
