/*
 * cep.h - the C interface of the cep engine, and the only door into it.
 *
 * cep trains networks with Equilibrium Propagation, with continual weight updates or without
 * (Ernoult et al., 2020, arXiv 2005.04168). The engine is written in Swift; this header is what any
 * other language binds to. If it is not in this file, it is not public.
 *
 * In order of need:
 *     1. Version, statuses, messages
 *     2. Networks
 *     3. Arrays: looking at parameters and states in place
 *     4. Data that is handed in
 *     5. Progress of long calls
 *     6. Phases
 *     7. Learning rules and training
 *     8. Evaluation and prediction
 *
 * Conventions
 *     - Every function that can fail returns a cep_status; what it produces goes through the last
 *       pointer. On any other status than CEP_OK nothing is written there, parameters are as they
 *       were, and cep_last_error() says what was wrong, what was expected and what was given.
 *     - Matrices are row-major and contiguous. A weight matrix is units above x units below, a state
 *       is batch x units. Layers are counted from the input: 0 ... L. Connection k joins layer k to
 *       layer k + 1.
 *     - A network is used by one thread at a time: a second one gets CEP_BUSY. Different networks
 *       may be used from different threads at the same time.
 */
#ifndef CEP_H
#define CEP_H

#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#pragma clang assume_nonnull begin
#define CEP_NULLABLE _Nullable
#else
#define CEP_NULLABLE
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- 1. Version, statuses, messages ---------------------------------------------------------- */

#define CEP_VERSION "0.1.0"

typedef int32_t cep_status;
enum {
    CEP_OK = 0,
    CEP_INVALID_ARGUMENT = 1, /* a value, shape or pointer that cannot be used */
    CEP_INVALID_STATE = 2,    /* the call is right, but not now: a nudged phase before a free one */
    CEP_OUT_OF_MEMORY = 3,    /* the memory asked for cannot be had */
    CEP_DIVERGED = 4,         /* a state became infinite or not a number */
    CEP_STOPPED = 5,          /* the progress function asked to stop */
    CEP_BUSY = 6              /* the network is in use by another thread */
};

/* The version of the engine at run time, CEP_VERSION of the header it was built with. Static. */
const char *cep_version(void);

/* The message of the last call of this thread that did not return CEP_OK; empty before the first.
 * Valid until the next failing call of the same thread. */
const char *cep_last_error(void);

/* ---- 2. Networks ------------------------------------------------------------------------------ */

typedef int32_t cep_dtype;
enum { CEP_FLOAT32 = 0, CEP_FLOAT64 = 1 };

/* How a state moves in one step. a is the drive of a layer: W s(below) + b + V s(above). */
typedef int32_t cep_setting;
enum {
    CEP_PROTOTYPICAL = 0, /* s <- activation(a)                                                   */
    CEP_REAL_TIME = 1     /* s <- s + dt (-s + activation'(s) a), a from activation(s)             */
};

typedef int32_t cep_activation;
enum {
    CEP_SHIFTED_SIGMOID = 0, /* 1 / (1 + exp(-4 (x - 1/2))) */
    CEP_HARD_SIGMOID = 1,    /* min(max(x, 0), 1)            */
    CEP_TANH = 2
};

typedef int32_t cep_feedback;
enum {
    CEP_TIED = 0,  /* feedback through the transposed forward weights: an energy-based network */
    CEP_UNTIED = 1 /* feedback weights of their own: a vector field */
};

typedef struct cep_network_options {
    const int64_t *CEP_NULLABLE sizes; /* units of each layer, input first */
    int64_t layer_count;               /* at least 3: input, one hidden layer, output */
    cep_setting setting;
    cep_activation activation;
    cep_feedback feedback;
    cep_dtype dtype;
    uint64_t seed;         /* the same seed gives the same parameters, rounded to the dtype */
    double time_step;      /* dt of the real-time setting, in (0, 1] */
    int32_t clamp;         /* real-time: whether states are clamped to [0, 1] after every step */
    double feedback_angle; /* untied: initial angle of feedback to forward weights, degrees 0...180 */
} cep_network_options;

/* Defaults: no layers, prototypical, shifted sigmoid, tied, float32, seed 0, dt 0.2, clamp, 0. */
void cep_network_options_default(cep_network_options *CEP_NULLABLE options);

typedef struct cep_network cep_network;

/* A network with weights and biases drawn from U(-1/sqrt(fan_in), 1/sqrt(fan_in)).
 * Release with cep_network_destroy. */
cep_status cep_network_create(const cep_network_options *CEP_NULLABLE options,
                              cep_network *CEP_NULLABLE *CEP_NULLABLE network);

/* Releases the network; arrays taken from it stay valid. NULL is allowed. No thread may be using
 * the network. */
void cep_network_destroy(cep_network *CEP_NULLABLE network);

/* ---- 3. Arrays: looking at parameters and states in place ------------------------------------- */

/* A reference to memory of the engine. Reading and writing through it is reading and writing the
 * network: what is written is seen by the next phase. */
typedef struct cep_array cep_array;

typedef int32_t cep_array_kind;
enum {
    CEP_WEIGHTS = 0,         /* of connection k: units of layer k+1 x units of layer k */
    CEP_BIASES = 1,          /* of layer k+1: its units */
    CEP_FEEDBACK_WEIGHTS = 2, /* of connection k > 0, untied: units of layer k x of layer k+1 */
    CEP_STATES = 3           /* of layer l, 0 being the clamped input: batch x units */
};

typedef struct cep_array_layout {
    void *data;
    cep_dtype dtype;
    int32_t dimensions; /* 1 or 2 */
    int64_t shape[2];   /* shape[1] is 1 where there is one dimension */
} cep_array_layout;

/* Takes a reference to an array of the network; release with cep_array_release. It stays valid when
 * the network is gone. States get new memory when the batch size changes; an array taken before
 * then keeps the old states. CEP_INVALID_STATE for states before the first phase. */
cep_status cep_network_array(cep_network *CEP_NULLABLE network, cep_array_kind kind, int64_t index,
                             cep_array *CEP_NULLABLE *CEP_NULLABLE array);

cep_status cep_array_describe(const cep_array *CEP_NULLABLE array,
                              cep_array_layout *CEP_NULLABLE layout);

void cep_array_release(cep_array *CEP_NULLABLE array);

/* ---- 4. Data that is handed in ---------------------------------------------------------------- */

/* A row-major matrix of the caller's, read during the call and not kept. Its dtype need not be the
 * network's. Every value must be finite. */
typedef struct cep_matrix {
    const void *CEP_NULLABLE data;
    cep_dtype dtype;
    int64_t rows;
    int64_t columns;
} cep_matrix;

/* What the output should be: class labels 0 ... units - 1 (target one-hot), or, where labels is
 * NULL, a matrix of target values of which the largest names the class. */
typedef struct cep_targets {
    const int64_t *CEP_NULLABLE labels;
    int64_t label_count;
    cep_matrix values;
} cep_targets;

/* ---- 5. Progress of long calls ---------------------------------------------------------------- */

typedef struct cep_progress_report {
    int64_t done;    /* samples (training, evaluation, prediction) or steps (a phase) */
    int64_t total;   /* of the same */
    int64_t errors;  /* wrong predictions among them; 0 in a phase */
    double loss_sum; /* sum of their losses; 0 in a phase */
} cep_progress_report;

/* Called now and then (every 20 ms or so), on the thread that made the call. Anything but 0 stops
 * the work: the call returns CEP_STOPPED with the network as after the last whole batch. It must
 * not use the network. */
typedef int32_t (*cep_progress_function)(const cep_progress_report *report,
                                         void *CEP_NULLABLE context);

typedef struct cep_progress {
    cep_progress_function CEP_NULLABLE function;
    void *CEP_NULLABLE context;
} cep_progress;

/* ---- 6. Phases -------------------------------------------------------------------------------- */

typedef struct cep_phase_outcome {
    int64_t steps;     /* taken */
    double residual;   /* max |s(t+1) - s(t)| of the last step, over all units of the batch */
    int32_t converged; /* whether the residual is at most the square root of the dtype's epsilon */
} cep_phase_outcome;

/* Clamps the input to x (batch x units of layer 0) and relaxes without nudging, from zero states or,
 * where continue_from_state is not 0, from the present ones (of the same batch size). */
cep_status cep_free_phase(cep_network *CEP_NULLABLE network, const cep_matrix *CEP_NULLABLE x,
                          int64_t steps, int32_t continue_from_state, cep_progress progress,
                          cep_phase_outcome *CEP_NULLABLE outcome);

/* Relaxes from the present states with the output pulled towards the targets with strength beta
 * (not 0). Weights do not move. CEP_INVALID_STATE before any free phase. */
cep_status cep_nudged_phase(cep_network *CEP_NULLABLE network,
                            const cep_targets *CEP_NULLABLE targets, double beta, int64_t steps,
                            cep_progress progress, cep_phase_outcome *CEP_NULLABLE outcome);

/* ---- 7. Learning rules and training ----------------------------------------------------------- */

typedef int32_t cep_rule_kind;
enum {
    CEP_RULE_EP = 0, /* one update from the two steady states */
    CEP_RULE_CEP = 1 /* continual: an update at every step of the nudged phase */
};

typedef struct cep_rule {
    cep_rule_kind kind;
    int64_t free_steps;
    int64_t nudged_steps;
    double beta;                                /* finite, not 0 */
    const double *CEP_NULLABLE learning_rates;  /* of each connection, input first */
    int64_t learning_rate_count;                /* as many as connections */
} cep_rule;

typedef struct cep_metrics {
    int64_t samples;
    int64_t errors; /* wrong predictions at the end of the free phase */
    double loss;    /* mean over samples of 1/2 |s_L - y|^2 at the end of the free phase */
} cep_metrics;

/* One batch: free phase, nudged phase, update. The states stay as the nudged phase left them. */
cep_status cep_train_batch(cep_network *CEP_NULLABLE network, const cep_matrix *CEP_NULLABLE x,
                           const cep_targets *CEP_NULLABLE targets,
                           const cep_rule *CEP_NULLABLE rule, cep_progress progress,
                           cep_metrics *CEP_NULLABLE metrics);

/* One pass over the data in an order drawn from shuffle_seed, in batches of batch_size rows (the
 * last one may be smaller). The metrics are accumulated as training goes. */
cep_status cep_train_epoch(cep_network *CEP_NULLABLE network, const cep_matrix *CEP_NULLABLE x,
                           const cep_targets *CEP_NULLABLE targets,
                           const cep_rule *CEP_NULLABLE rule, int64_t batch_size,
                           uint64_t shuffle_seed, cep_progress progress,
                           cep_metrics *CEP_NULLABLE metrics);

/* ---- 8. Evaluation and prediction ------------------------------------------------------------- */

/* Free phases over the data. Neither parameters nor states of the network change. */
cep_status cep_evaluate(cep_network *CEP_NULLABLE network, const cep_matrix *CEP_NULLABLE x,
                        const cep_targets *CEP_NULLABLE targets, int64_t steps,
                        cep_progress progress, cep_metrics *CEP_NULLABLE metrics);

/* The class of each row of x, the output unit with the largest state after a free phase, written to
 * classes (class_count = rows of x). Neither parameters nor states of the network change. */
cep_status cep_predict(cep_network *CEP_NULLABLE network, const cep_matrix *CEP_NULLABLE x,
                       int64_t steps, cep_progress progress, int64_t *CEP_NULLABLE classes,
                       int64_t class_count);

#ifdef __cplusplus
}
#endif

#if defined(__clang__)
#pragma clang assume_nonnull end
#endif

#endif /* CEP_H */
