#include "checks.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { MOST_FUNCTIONS = 100, MOST_SHOWN = 40 };

static struct {
    const char *name;
    long count;
} functions[MOST_FUNCTIONS];
static int function_count;
static long passed, failed;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void count(const char *function) {
    int i = 0;
    while (i < function_count && strcmp(functions[i].name, function) != 0) {
        i++;
    }
    if (i == function_count) {
        functions[function_count++].name = function;
    }
    functions[i].count++;
}

void check(int holds, const char *function, const char *what, const char *found) {
    pthread_mutex_lock(&mutex);
    count(function);
    if (holds) {
        passed++;
    } else if (failed++ < MOST_SHOWN) {
        printf("FAILED %s, %s: %s\n", function, what, found);
    }
    pthread_mutex_unlock(&mutex);
}

void check_status(cep_status status, cep_status expected, const char *words, const char *function,
                  const char *what) {
    char found[1200] = "";
    int holds = status == expected && (status == CEP_OK || strstr(cep_last_error(), words) != NULL);
    if (!holds) {
        snprintf(found, sizeof found, "status %d, \"%s\"; expected %d, \"%s\"", status, cep_last_error(), expected,
                 words);
    }
    check(holds, function, what, found);
}

long print_checks(void) {
    for (int i = 0; i < function_count; i++) {
        printf("%s %ld\n", functions[i].name, functions[i].count);
    }
    printf("%ld passed, %ld failed\n", passed, failed);
    return failed;
}
