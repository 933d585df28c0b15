/* Each call of calls.inc.h with each bad argument of bad_arguments.inc.h that matters to it, and with each two of
 * them. */
#include "program.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "checks.h"

/* What a call takes. */
enum {
    NETWORK = 1 << 0,
    ARRAY = 1 << 1,
    GRADIENT = 1 << 2,
    THEOREM = 1 << 3,
    OPTIONS = 1 << 4,
    X = 1 << 5,
    TARGETS = 1 << 6,
    STEPS = 1 << 7,
    BETA = 1 << 8,
    RULE = 1 << 9,
    TWO_PHASES = 1 << 10, /* a rule that has them; likewise the next three */
    CONTINUAL = 1 << 11,
    BPTT = 1 << 12,
    RBP = 1 << 13,
    TRAINING = 1 << 14, /* a rule with learning rates */
    EPOCH = 1 << 15,
    CONDITIONS = 1 << 16,
    PARAMETER = 1 << 17,
    LAYER = 1 << 18,
    NO_STATES = 1 << 19, /* parameters only */
    CONNECTION = 1 << 20,
    CLASSES = 1 << 21,
    ENERGIES = 1 << 22,
    RANDOM_STATE = 1 << 23,
    THREADS = 1 << 24,
    RESULT = 1 << 25,
    METRICS = 1 << 26
};

static const unsigned char zeros[4096];
static const char text[] =
    "Neither a network nor anything else that the engine has made, but memory all the same.";

#define CALL(name, function, takes, call)                                                                         \
    static cep_status call_##name(arguments *a) { return function call; }
#include "calls.inc.h"
#undef CALL

static const struct call {
    const char *function;
    unsigned takes;
    cep_status (*run)(arguments *a);
} calls[] = {
#define CALL(name, function, takes, call) {#function, takes, call_##name},
#include "calls.inc.h"
#undef CALL
};

#define BAD(name, takes, words, change)                                                                           \
    static void spoil_##name(arguments *a) { change; }
#include "bad_arguments.inc.h"
#undef BAD

static const struct bad {
    const char *name;
    unsigned takes;
    const char *words;
    void (*spoil)(arguments *a);
} bads[] = {
#define BAD(name, takes, words, change) {#name, takes, words, spoil_##name},
#include "bad_arguments.inc.h"
#undef BAD
};

/* Calls with one bad argument, and with two. */
static long ones, twos;

enum { CALLS = sizeof calls / sizeof calls[0], BADS = sizeof bads / sizeof bads[0] };

/* What a call takes, its rule being of a kind. */
static unsigned takes(const struct call *call, cep_rule_kind kind) {
    static const unsigned rules[] = {TWO_PHASES, TWO_PHASES | CONTINUAL, BPTT, RBP};
    unsigned all = call->takes;
    if (all & RULE) {
        all |= rules[kind];
    }
    if (all & PARAMETER && !(all & NO_STATES)) {
        all |= LAYER;
    }
    return all;
}

/* Makes a call that must fail, and leave everything as it was. */
static void check_refused(world *world, const struct call *call, arguments *a, cep_status expected,
                          const char *words, const char *what) {
    cep_array_describe(NULL, NULL); /* another message */
    check_status(call->run(a), expected, words, call->function, what);
    check(results_are_untouched(a), call->function, what, "something was written");
    check(network_is_unchanged(world), call->function, what, "the network has changed");
    remember_network(world);
}

static void check_each(world *world, const struct call *call, cep_rule_kind kind) {
    arguments a;
    for (int i = 0; i < BADS; i++) {
        if ((bads[i].takes & takes(call, kind)) == bads[i].takes) {
            set_good_arguments(&a, world, kind);
            bads[i].spoil(&a);
            ones++;
            check_refused(world, call, &a, CEP_INVALID_ARGUMENT, bads[i].words, bads[i].name);
        }
    }
}

/* The second may make good what the first has spoiled: it must be refused and nothing written, or work. */
static void check_each_two(world *world, const struct call *call, cep_rule_kind kind) {
    arguments a;
    char what[200];
    for (int i = 0; i < BADS; i++) {
        for (int j = 0; j < BADS; j++) {
            unsigned both = bads[i].takes | bads[j].takes;
            if (i == j || (both & takes(call, kind)) != both) {
                continue;
            }
            set_good_arguments(&a, world, kind);
            bads[i].spoil(&a);
            bads[j].spoil(&a);
            cep_status status = call->run(&a);
            twos++;
            snprintf(what, sizeof what, "%s and %s", bads[i].name, bads[j].name);
            check(status == CEP_OK ||
                      (status == CEP_INVALID_ARGUMENT && results_are_untouched(&a) && network_is_unchanged(world)),
                  call->function, what, cep_last_error());
            if (status == CEP_OK || !network_is_unchanged(world)) {
                remake_world(world);
            }
        }
    }
}

/* What each call is given otherwise works: what is refused is refused for what has been spoiled. */
static void check_good(world *world, const struct call *call, cep_rule_kind kind) {
    arguments a;
    set_good_arguments(&a, world, kind);
    cep_status expected = call->takes & ENERGIES && world->feedback == CEP_UNTIED ? CEP_INVALID_ARGUMENT : CEP_OK;
    check_status(call->run(&a), expected, "untied feedback", call->function, "good arguments");
    check(expected != CEP_OK || !(call->takes & RESULT) || !results_are_untouched(&a), call->function,
          "good arguments", "no result was written");
    /* What was made is the caller's. */
    void *made = *(void **)a.result_storage;
    if (call->run == call_create || call->run == call_network_copy) {
        cep_network_destroy(made);
    } else if (call->run == call_network_array || call->run == call_gradient_array) {
        cep_array_release(made);
    } else if (call->run == call_gradient_estimate) {
        cep_gradient_destroy(made);
    } else if (call->run == call_theorem_check) {
        cep_theorem_destroy(made);
    } else if (call->run == call_theorem_compare) {
        cep_array_release(((cep_theorem_curves *)a.result_storage)->updates);
        cep_array_release(((cep_theorem_curves *)a.result_storage)->gradients);
    }
    remake_world(world);
}

void check_bad_arguments(void) {
    for (int i = 0; i < 4; i++) {
        world world;
        make_world(&world, i & 1 ? CEP_FLOAT64 : CEP_FLOAT32, i & 2 ? CEP_UNTIED : CEP_TIED);
        for (int c = 0; c < CALLS; c++) {
            for (cep_rule_kind kind = CEP_RULE_EP; kind <= (calls[c].takes & RULE ? CEP_RULE_RBP : CEP_RULE_EP);
                 kind++) {
                check_good(&world, &calls[c], kind);
                if (calls[c].takes & ENERGIES && world.feedback == CEP_UNTIED) {
                    continue;
                }
                check_each(&world, &calls[c], kind);
                if (i == 0 || i == 3) { /* they take long; each dtype and feedback once will do */
                    check_each_two(&world, &calls[c], kind);
                }
            }
        }
        destroy_world(&world);
    }
    printf("%ld calls with a bad argument, %ld with two\n", ones, twos);
    cep_set_num_threads(2);
}

/* The functions that return nothing: of what they are given wrongly, the message says so. */
static void check_releasing(world *world) {
#define LEFT_ALONE(function, handle, words)                                                                       \
    do {                                                                                                          \
        cep_array_describe(NULL, NULL);                                                                           \
        function((void *)(handle));                                                                               \
        check(strstr(cep_last_error(), words) != NULL, #function, #handle, cep_last_error());                     \
    } while (0)
#define LEFT_ALONE_BY_ALL(handle, words)                                                                          \
    LEFT_ALONE(cep_network_destroy, handle, words);                                                               \
    LEFT_ALONE(cep_array_release, handle, words);                                                                 \
    LEFT_ALONE(cep_gradient_destroy, handle, words);                                                              \
    LEFT_ALONE(cep_theorem_destroy, handle, words)
    LEFT_ALONE_BY_ALL(NULL, "layout is NULL"); /* allowed: the message is the one before */
    LEFT_ALONE_BY_ALL(zeros, "never was one");
    LEFT_ALONE_BY_ALL(text, "never was one");
    LEFT_ALONE_BY_ALL(UINTPTR_MAX, "never was one");
    LEFT_ALONE_BY_ALL(world->destroyed_network, "never was one");
    LEFT_ALONE(cep_array_release, world->network, "array is a network");
    LEFT_ALONE(cep_gradient_destroy, world->array, "gradient is an array");
    LEFT_ALONE(cep_theorem_destroy, world->gradient, "theorem is a gradient");
    LEFT_ALONE(cep_network_destroy, world->theorem, "network is a theorem");
    check(network_is_unchanged(world), "cep_network_destroy", "others' handles", "the network has changed");

    char room[512];
    memset(room, 1, sizeof room);
    LEFT_ALONE(cep_network_options_default, NULL, "layout is NULL");
    LEFT_ALONE(cep_network_options_default, room + ((uintptr_t)room % 2 == 0), "options is not aligned");
    LEFT_ALONE(cep_rule_default, NULL, "layout is NULL");
    LEFT_ALONE(cep_rule_default, room + ((uintptr_t)room % 2 == 0), "rule is not aligned");
    for (size_t i = 0; i < sizeof room; i++) {
        check(room[i] == 1, "cep_rule_default", "a pointer that is not aligned", "something was written");
    }
}

void check_functions_without_status(void) {
    world world;
    make_world(&world, CEP_FLOAT32, CEP_TIED);
    check_releasing(&world);
    destroy_world(&world);
    check(strcmp(cep_version(), CEP_VERSION) == 0, "cep_version", "the header's", cep_version());
    check(strlen(cep_last_error()) > 0, "cep_last_error", "after a failure", "empty");
    check(strlen(cep_instruction_set()) > 0, "cep_instruction_set", "has a name", "empty");
    check(cep_get_num_threads() == 2, "cep_get_num_threads", "what was set", "another");
}
