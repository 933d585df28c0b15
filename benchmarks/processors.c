/*
 * The latency between two processors, which determines the gain of a second thread for small networks: nanoseconds
 * until one sees a write of the other, and microseconds to read 256 kB that the other has written. On a shared
 * machine both change from minute to minute. Prints a line each second:
 *
 *     clang -O2 -pthread benchmarks/processors.c -o .build/processors && .build/processors [seconds]
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { HANDOVERS = 20000, READS = 200, VALUES = 1 << 16, LINE = 64 / sizeof(float) };

/* Even numbers are the first thread's turn, odd ones the second's. */
static _Alignas(128) atomic_int turn;
static _Alignas(128) float values[VALUES];

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void stay_on(int processor) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    sched_setaffinity(0, sizeof set, &set);
}

static void wait_for(int number) {
    while (atomic_load_explicit(&turn, memory_order_acquire) != number)
        ;
}

static void give(int number) { atomic_store_explicit(&turn, number, memory_order_release); }

static void *second(void *unused) {
    stay_on(1);
    for (int i = 0; i < HANDOVERS + READS; i++) {
        wait_for(2 * i + 1);
        for (int k = 0; i >= HANDOVERS && k < VALUES; k++)
            values[k] += 1;
        give(2 * i + 2);
    }
    return unused;
}

int main(int count, char **arguments) {
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
        puts("this machine has only one processor");
        return 0;
    }
    stay_on(0);
    for (int seconds = count > 1 ? atoi(arguments[1]) : 10; seconds > 0; seconds--) {
        pthread_t thread;
        atomic_store(&turn, 0);
        if (pthread_create(&thread, NULL, second, NULL))
            return 1;
        double start = now();
        for (int i = 0; i < HANDOVERS; i++) {
            give(2 * i + 1);
            wait_for(2 * i + 2);
        }
        double handover = (now() - start) / HANDOVERS / 2, reading = 0;
        volatile float sum = 0;
        for (int i = HANDOVERS; i < HANDOVERS + READS; i++) {
            give(2 * i + 1);
            wait_for(2 * i + 2);
            start = now();
            float part = 0;
            for (int k = 0; k < VALUES; k += LINE)
                part += values[k];
            sum = sum + part;
            reading += now() - start;
        }
        pthread_join(thread, NULL);
        printf("handed over in %.0f ns, 256 kB read in %.1f us\n", handover * 1e9, reading / READS * 1e6);
        fflush(stdout);
        sleep(1);
    }
    return 0;
}
