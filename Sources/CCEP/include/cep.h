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
 *     5. Progress of long calls, and their steps
 *     6. Phases
 *     7. Learning rules and training
 *     8. Evaluation and prediction
 *     9. Gradients
 *    10. The theorem, step by step
 *    11. Energy and angles
 *
 * Conventions
 *     - Every function that can fail returns a cep_status; what it produces goes through the last
 *       pointer. On any other status than CEP_OK nothing is written there, parameters are as they
 *       were, and cep_last_error() says what was wrong, what was expected and what was given.
 *     - Matrices are row-major and contiguous. A weight matrix is units above x units below, a state
 *       is batch x units. Layers are counted from the input: 0 ... L. Connection k joins layer k to
 *       layer k + 1.
 *     - A network is used by one thread at a time: a second one gets CEP_BUSY, as does the progress
 *       function. The same holds for the arrays of a step. Different networks may be used from
 *       different threads at the same time.
 *     - Everything that is handed in is checked, and no call ends the process. CEP_INVALID_ARGUMENT
 *       is for NULL where it is not allowed, an address that is not aligned to its type, memory to
 *       be written that overlaps what is read or memory of the network, counts whose bytes cannot be
 *       addressed, kinds there are not, numbers that are not finite or out of range, and pointers to
 *       networks, arrays, steps, gradients and theorems that are of another kind, were released, or
 *       never came from here: these pointers are numbers that are given out once, not addresses. What
 *       cannot be seen is whether memory is there, as large as is said, and nobody else's: whoever
 *       says so is believed, as is a pointer to a function.
 *     - Calls that take a network or a step round to the nearest and take denormal numbers for zeros,
 *       whatever the thread has its processor set to. Progress functions are called with the thread's
 *       own setting, and it is back when the call returns.
 */
#ifndef CEP_H
#define CEP_H

#include <stddef.h>
#include <stdint.h>

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wnullability-extension"
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
    CEP_BUSY = 6              /* the network, or the step, is in use by another thread */
};

/* The version of the engine at run time, CEP_VERSION of the header it was built with. Static. */
const char *cep_version(void);

/* The message of the last call of this thread that did not return CEP_OK; empty before the first.
 * Valid until the next failing call of the same thread. */
const char *cep_last_error(void);

/* The instruction set in use: "baseline", "avx2" or "avx512", the widest there is or what the environment variable
 * CEP_INSTRUCTION_SET asks for. Static. Where that cannot be had, cep_network_create says so. */
const char *cep_instruction_set(void);

/* Threads that the engine may use for one network, the caller's included: at first CEP_NUM_THREADS, or the
 * processors of the process. Results do not depend on it, to the last bit. count is 1 to 1024; where
 * CEP_NUM_THREADS is anything else, cep_network_create says so. */
cep_status cep_set_num_threads(int64_t count);
int64_t cep_get_num_threads(void);

/* ---- 2. Networks ------------------------------------------------------------------------------ */

typedef int32_t cep_dtype;
enum { CEP_FLOAT32 = 0, CEP_FLOAT64 = 1 };

/* How a state moves in one step. a is the drive of a layer: W s(below) + b + V s(above). */
typedef int32_t cep_setting;
enum {
    CEP_PROTOTYPICAL = 0, /* s <- activation(a)                                                   */
    CEP_REAL_TIME = 1     /* s <- s + dt (-s + f a), a from activation(s), f = activation'(s) on the
                             hidden layers of tied networks and 1 elsewhere (see follows_energy) */
};

typedef int32_t cep_activation;
enum {
    CEP_SHIFTED_SIGMOID = 0, /* 1 / (1 + exp(-4 (x - 1/2))) */
    CEP_HARD_SIGMOID = 1,    /* min(max(x, 0), 1)            */
    CEP_TANH = 2,
    CEP_SIGMOID = 3,           /* 1 / (1 + exp(-x))            */
    CEP_HALF_HARD_SIGMOID = 4, /* min(max(x / 2, 0), 1)        */
    CEP_LINEAR = 5
};

typedef int32_t cep_feedback;
enum {
    CEP_TIED = 0,  /* feedback through the transposed forward weights: an energy-based network */
    CEP_UNTIED = 1 /* feedback weights of their own: a vector field */
};

/* In which order layers move in a step of a free phase. Nudged phases are synchronous always. */
typedef int32_t cep_relaxation;
enum {
    CEP_SYNCHRONOUS = 0, /* all at once, from their old states */
    CEP_ALTERNATING = 1  /* layers 1, 3, ..., then layers 2, 4, ... from the new states of those */
};

/* An option by name: a word, or numbers. */
typedef struct cep_option {
    const char *CEP_NULLABLE name;
    const char *CEP_NULLABLE text;      /* NULL for numbers */
    const double *CEP_NULLABLE numbers; /* NULL for a word */
    int64_t count;                      /* of numbers */
} cep_option;

typedef struct cep_network_options {
    const int64_t *CEP_NULLABLE sizes; /* units of each layer, input first */
    int64_t layer_count;               /* at least 3: input, one hidden layer, output */
    cep_setting setting;
    cep_activation activation;
    cep_feedback feedback;
    cep_dtype dtype;
    uint64_t seed;          /* the same seed gives the same parameters, rounded to the dtype */
    double time_step;       /* dt of the real-time setting, in (0, 1] */
    int32_t clamp;          /* real-time: whether states are clamped to [0, 1] after every step */
    int32_t follows_energy; /* real-time, tied: activation'(s) on the output layer too, which the
                               published equations leave out: then states descend the energy */
    double feedback_angle;  /* untied: initial angle of feedback to forward weights, degrees 0...180 */
    cep_relaxation relaxation;
    double tolerance; /* a sample is at rest, and its phase ended, where a step changed none of its
                         states by more than this; 0 or more */
    /* Further options by name:
     *   "loss"        "squared_error" (default) or "cross_entropy", for which the output layer is linear
     *   "readout"     1: the last of sizes are the classes of a softmax readout outside the dynamics
     *   "nudging"     prototypical: "outside", s <- activation(a) + beta pull (default), or "inside",
     *                 s <- activation(a + beta pull), which a readout needs and has by default
     *   "activations" names separated by commas, one for each layer after the input and before a readout
     *   "connections" pairs (from, to) of layers that dense connections without biases join beside the chain;
     *                 their parameters come after those of the chain and of a readout */
    const cep_option *CEP_NULLABLE more;
    int64_t more_count;
} cep_network_options;

/* Defaults: no layers, prototypical, shifted sigmoid, tied, float32, seed 0, dt 0.2, clamped, as
 * published, angle 0, synchronous, tolerance 0. */
void cep_network_options_default(cep_network_options *CEP_NULLABLE options);

typedef struct cep_network cep_network;

/* A network with weights and biases drawn from U(-1/sqrt(fan_in), 1/sqrt(fan_in)).
 * Release with cep_network_destroy. */
cep_status cep_network_create(const cep_network_options *CEP_NULLABLE options,
                              cep_network * CEP_NULLABLE * CEP_NULLABLE network);

/* A network in memory of its own that goes on as this one would: of the same options, with the same
 * parameters, states and random state, all of one moment. Release with cep_network_destroy. */
cep_status cep_network_copy(cep_network *CEP_NULLABLE network, cep_network * CEP_NULLABLE * CEP_NULLABLE copy);

/* Releases the network; arrays taken from it stay valid. NULL is allowed. A call that is using the
 * network ends first. Of what is not a network cep_last_error() says so; likewise of the other
 * functions that release. */
void cep_network_destroy(cep_network *CEP_NULLABLE network);

/* ---- 3. Arrays: looking at parameters and states in place ------------------------------------- */

/* A reference to memory of the engine. Reading and writing through it is reading and writing the
 * network: what is written is seen by the next phase. */
typedef struct cep_array cep_array;

typedef int32_t cep_array_kind;
enum {
    CEP_WEIGHTS = 0,          /* of connection k: units of layer k+1 x units of layer k */
    CEP_BIASES = 1,           /* of layer k+1: its units */
    CEP_FEEDBACK_WEIGHTS = 2, /* of connection k > 0, untied: units of layer k x of layer k+1 */
    CEP_STATES = 3            /* of layer l, 0 being the clamped input: batch x units */
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
                             cep_array * CEP_NULLABLE * CEP_NULLABLE array);

cep_status cep_array_describe(const cep_array *CEP_NULLABLE array, cep_array_layout *CEP_NULLABLE layout);

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

/* ---- 5. Progress of long calls, and their steps ----------------------------------------------- */

typedef struct cep_progress_report {
    int64_t done;    /* samples (training, evaluation, prediction) or steps (a phase) */
    int64_t total;   /* of the same */
    int64_t errors;  /* wrong predictions among them; 0 in a phase */
    double loss_sum; /* sum of their losses; 0 in a phase */
} cep_progress_report;

/* Called now and then (every 20 ms or so), on the thread that made the call. Anything but 0 stops
 * the work: the call returns CEP_STOPPED with the network as after the last whole batch. It must
 * not use the network. */
typedef int32_t (*cep_progress_function)(const cep_progress_report *report, void *CEP_NULLABLE context);

/* A moment of a phase: before its first step, or after one of them. It is there while the step function runs. */
typedef struct cep_step cep_step;

typedef struct cep_step_summary {
    int64_t step;         /* steps of the phase taken: 0 where it begins */
    double beta;          /* strength of the nudging; 0 in a free phase */
    double residual;      /* max |s(t+1) - s(t)| of the step, over all units of the batch; 0 where it begins */
    int32_t weights_move; /* whether this is the nudged phase of a continual rule */
} cep_step_summary;

/* For use in a step function. */
cep_status cep_step_summarize(const cep_step *CEP_NULLABLE step, cep_step_summary *CEP_NULLABLE summary);

/* For use in a step function: the states of a layer, or the parameters of a connection, as they are at this
 * moment. Of states and of parameters that stand still it is the memory the phase works in, to be read only, and
 * different after the next step. Where weights move they may be computed for this call, the last ones being to
 * the last bit what the phase leaves. One thread takes an array at a time: a second one gets CEP_BUSY. The phase
 * goes on when the step function has returned and no call in another thread still computes. Release with
 * cep_array_release. */
cep_status cep_step_array(const cep_step *CEP_NULLABLE step, cep_array_kind kind, int64_t index,
                          cep_array * CEP_NULLABLE * CEP_NULLABLE array);

/* Called at every moment of every phase of a call, on the thread that made it: where the phase begins, and after
 * each step. Anything but 0 stops the work, as with the progress function. It must not use the network, but
 * through the step. No result depends on whether there is a step function. */
typedef int32_t (*cep_step_function)(const cep_step *step, void *CEP_NULLABLE context);

typedef struct cep_progress {
    cep_progress_function CEP_NULLABLE function;
    cep_step_function CEP_NULLABLE step;
    void *CEP_NULLABLE context; /* handed to both */
} cep_progress;

/* ---- 6. Phases -------------------------------------------------------------------------------- */

typedef struct cep_phase_outcome {
    int64_t steps;     /* taken */
    double residual;   /* max |s(t+1) - s(t)| of the last step, over all units of the batch */
    int32_t converged; /* whether the residual is at most the square root of the dtype's epsilon */
} cep_phase_outcome;

/* Clamps the input to x (batch x units of layer 0) and relaxes without nudging, from zero states or,
 * where continue_from_state is not 0, from the present ones (of the same batch size). */
cep_status cep_free_phase(cep_network *CEP_NULLABLE network, const cep_matrix *CEP_NULLABLE x, int64_t steps,
                          int32_t continue_from_state, cep_progress progress,
                          cep_phase_outcome *CEP_NULLABLE outcome);

/* Relaxes from the present states with the output pulled towards the targets with strength beta
 * (not 0). Weights do not move. CEP_INVALID_STATE before any free phase. */
cep_status cep_nudged_phase(cep_network *CEP_NULLABLE network, const cep_targets *CEP_NULLABLE targets,
                            double beta, int64_t steps, cep_progress progress,
                            cep_phase_outcome *CEP_NULLABLE outcome);

/* ---- 7. Learning rules and training ----------------------------------------------------------- */

typedef int32_t cep_rule_kind;
enum {
    CEP_RULE_EP = 0,   /* one update from the two steady states */
    CEP_RULE_CEP = 1,  /* continual: an update at every step of the nudged phase */
    CEP_RULE_BPTT = 2, /* backpropagation through the steps of the free phase */
    CEP_RULE_RBP = 3   /* recurrent backpropagation at the steady state */
};

typedef int32_t cep_beta_sign;
enum {
    CEP_BETA_FIXED = 0,
    CEP_BETA_RANDOM = 1,   /* drawn for each batch, with probability 1/2 */
    CEP_BETA_SYMMETRIC = 2 /* EP: phases at +beta and -beta from the same steady state */
};

typedef struct cep_rule {
    cep_rule_kind kind;
    int64_t free_steps;
    int64_t nudged_steps; /* EP, C-EP */
    double beta;          /* EP, C-EP: finite, not 0 */
    cep_beta_sign beta_sign;
    int32_t accumulate;       /* EP: whether to sum updates over the steps of the nudged phase, rather than
                                 take the update from its ends; of consequence with untied feedback */
    int32_t write_every_step; /* C-EP: whether to write the weights at every step, rather than keep how they
                                 moved as a product of a few rows and write them once: the same but for rounding */
    int64_t last_steps;       /* BPTT: steps at the end to send gradients back through; 0 for all */
    double tolerance;         /* RBP: size of the last gradient beside the first, in (0, 1) */
    int64_t max_iterations;   /* RBP */
    const double *CEP_NULLABLE learning_rates; /* of each connection, input first */
    int64_t learning_rate_count;               /* as many as connections; 0 only to estimate gradients */
    const double *CEP_NULLABLE bias_learning_rates;
    int64_t bias_learning_rate_count; /* 0 for those of the weights */
    /* Further options by name:
     *   "optimizer"     "sgd" (default) or "adam"
     *   "momentum"      SGD: in [0, 1)
     *   "beta1", "beta2", "epsilon"  Adam: .9, .999, 1e-8 by default
     *   "weight_decay"  one number, or one for each connection; added to the gradient, times the parameter */
    const cep_option *CEP_NULLABLE more;
    int64_t more_count;
} cep_rule;

/* Defaults: EP of no steps, fixed beta 0, update from the ends, all steps, tolerance 1e-6, 10000 iterations, no
 * learning rates. */
void cep_rule_default(cep_rule *CEP_NULLABLE rule);

typedef struct cep_metrics {
    int64_t samples;
    int64_t errors;  /* wrong predictions at the end of the free phase */
    double loss;     /* mean over samples at the end of the free phase: 1/2 |s_L - y|^2, or the cross-entropy */
    double loss_sum; /* the sum of the same */
} cep_metrics;

/* One batch: free phase, nudged phase, update. The states stay as the nudged phase left them. */
cep_status cep_train_batch(cep_network *CEP_NULLABLE network, const cep_matrix *CEP_NULLABLE x,
                           const cep_targets *CEP_NULLABLE targets, const cep_rule *CEP_NULLABLE rule,
                           cep_progress progress, cep_metrics *CEP_NULLABLE metrics);

/* Part of an epoch, for whoever saves the network or looks at it in between. Parts that follow each other are the
 * whole epoch, to the last bit. */
typedef struct cep_epoch_part {
    int64_t first_batch; /* batches done before */
    int64_t batch_count; /* 0, or more than there are, for all that are left */
    int64_t errors;      /* of the batches before: metrics and progress count on from here; 0 to their
                            samples */
    double loss_sum;     /* of the same; finite, 0 or more */
} cep_epoch_part;

/* One pass over the data in an order drawn from shuffle_seed, in batches of batch_size rows (the
 * last one may be smaller), or the part given (NULL for the whole). The metrics are accumulated as training goes.
 * x and targets are read batch by batch: they must not be memory of the network. */
cep_status cep_train_epoch(cep_network *CEP_NULLABLE network, const cep_matrix *CEP_NULLABLE x,
                           const cep_targets *CEP_NULLABLE targets, const cep_rule *CEP_NULLABLE rule,
                           int64_t batch_size, uint64_t shuffle_seed, const cep_epoch_part *CEP_NULLABLE part,
                           cep_progress progress, cep_metrics *CEP_NULLABLE metrics);

/* Where the network's own stream of random numbers is. cep_train_batch and cep_gradient_estimate draw random signs
 * of beta from it; epochs have streams of their own, from shuffle_seed. Not all words are 0. */
typedef struct cep_random_state {
    uint64_t words[4];
} cep_random_state;

cep_status cep_get_random_state(cep_network *CEP_NULLABLE network, cep_random_state *CEP_NULLABLE state);
cep_status cep_set_random_state(cep_network *CEP_NULLABLE network, const cep_random_state *CEP_NULLABLE state);

/* What an optimizer remembers between updates: "velocity" (SGD with momentum), "first_moment" and "second_moment"
 * (Adam), each of the shapes of the parameters. Copies of a network have it too. */
typedef struct cep_optimizer_summary {
    char name[16]; /* "sgd" or "adam"; empty before the first update */
    int64_t steps; /* updates made */
} cep_optimizer_summary;

/* Prepares the state of a rule's optimizer: zeros, unless that optimizer was used last. */
cep_status cep_optimizer_prepare(cep_network *CEP_NULLABLE network, const cep_rule *CEP_NULLABLE rule);
cep_status cep_optimizer_summarize(cep_network *CEP_NULLABLE network, cep_optimizer_summary *CEP_NULLABLE summary);
/* CEP_INVALID_STATE if there is no state. */
cep_status cep_optimizer_set_steps(cep_network *CEP_NULLABLE network, int64_t steps);
/* What is remembered of a kind of parameters (not CEP_STATES). Release with cep_array_release. */
cep_status cep_optimizer_array(cep_network *CEP_NULLABLE network, const char *CEP_NULLABLE name,
                               cep_array_kind kind, int64_t index, cep_array * CEP_NULLABLE * CEP_NULLABLE array);

/* ---- 8. Evaluation and prediction ------------------------------------------------------------- */

/* Whether a network can learn from the data, or be evaluated on it: what the other functions check before they
 * begin, for whoever needs to know earlier. */
cep_status cep_check_samples(cep_network *CEP_NULLABLE network, const cep_matrix *CEP_NULLABLE x,
                             const cep_targets *CEP_NULLABLE targets);

/* Free phases over the data. Neither parameters nor states of the network change. */
cep_status cep_evaluate(cep_network *CEP_NULLABLE network, const cep_matrix *CEP_NULLABLE x,
                        const cep_targets *CEP_NULLABLE targets, int64_t steps, cep_progress progress,
                        cep_metrics *CEP_NULLABLE metrics);

/* The class of each row of x, the output unit with the largest state after a free phase, written to
 * classes (class_count = rows of x). Neither parameters nor states of the network change. */
cep_status cep_predict(cep_network *CEP_NULLABLE network, const cep_matrix *CEP_NULLABLE x, int64_t steps,
                       cep_progress progress, int64_t *CEP_NULLABLE classes, int64_t class_count);

/* ---- 9. Gradients ----------------------------------------------------------------------------- */

/* The gradient of the mean loss at the end of the free phase, as a rule estimates it: what the rule's update at
 * learning rate 1 is minus of. */
typedef struct cep_gradient cep_gradient;

/* x is one batch. The network does not change. Release with cep_gradient_destroy. */
cep_status cep_gradient_estimate(cep_network *CEP_NULLABLE network, const cep_matrix *CEP_NULLABLE x,
                                 const cep_targets *CEP_NULLABLE targets, const cep_rule *CEP_NULLABLE rule,
                                 cep_progress progress, cep_metrics *CEP_NULLABLE metrics,
                                 cep_gradient * CEP_NULLABLE * CEP_NULLABLE gradient);

/* The gradient of the parameters of the given kind (not CEP_STATES) of connection `index`, of the parameters'
 * shape. Release with cep_array_release. */
cep_status cep_gradient_array(const cep_gradient *CEP_NULLABLE gradient, cep_array_kind kind, int64_t index,
                              cep_array * CEP_NULLABLE * CEP_NULLABLE array);

void cep_gradient_destroy(cep_gradient *CEP_NULLABLE gradient);

/* ---- 10. The theorem, step by step ------------------------------------------------------------- */

typedef struct cep_theorem_conditions {
    int64_t free_steps;
    int64_t nudged_steps; /* at most free_steps */
    double beta;
    const double *CEP_NULLABLE learning_rates; /* of each connection during the nudged phase; 0 for EP */
    int64_t learning_rate_count;
    const double *CEP_NULLABLE bias_learning_rates;
    int64_t bias_learning_rate_count; /* 0 for those of the weights */
    /* Whether to leave out of the curves what the paper's code leaves out: the term t = 0 of the weights, on both
     * sides; the updates of neurons that the nudging has not reached yet (layer l at t < L - l), and of those that
     * a step leaves at a bound of the clamping. */
    int32_t as_recorded;
} cep_theorem_conditions;

/* Theorem 1 of Ernoult et al. (2020) on one batch: what neurons and synapses do at each step of the nudged phase,
 * beside minus the gradients that BPTT sends back through the last steps of the free phase. */
typedef struct cep_theorem cep_theorem;

/* The network does not change. Computed in float64 whatever its dtype: what a small beta does to float32 states is
 * mostly rounding. Release with cep_theorem_destroy. */
cep_status cep_theorem_check(cep_network *CEP_NULLABLE network, const cep_matrix *CEP_NULLABLE x,
                             const cep_targets *CEP_NULLABLE targets,
                             const cep_theorem_conditions *CEP_NULLABLE conditions, cep_progress progress,
                             cep_theorem * CEP_NULLABLE * CEP_NULLABLE theorem);

typedef struct cep_theorem_summary {
    double angle;                 /* degrees between the total update and the total gradient of all weights */
    cep_phase_outcome free_phase; /* the theorem supposes it converged */
} cep_theorem_summary;

cep_status cep_theorem_summarize(const cep_theorem *CEP_NULLABLE theorem,
                                 cep_theorem_summary *CEP_NULLABLE summary);

typedef struct cep_theorem_curves {
    cep_array *CEP_NULLABLE updates;   /* nudged_steps x entries; release with cep_array_release */
    cep_array *CEP_NULLABLE gradients; /* the same; minus the gradient */
    double relative_error;             /* |updates - gradients| / |gradients| */
    double sign_agreement;             /* share of the same sign where neither is 0 */
} cep_theorem_curves;

/* The curves of the parameters of a connection, or (CEP_STATES) of the neurons of a layer 1 ... L, summed over the
 * batch. Entries are in the order of the parameter's memory. */
cep_status cep_theorem_compare(const cep_theorem *CEP_NULLABLE theorem, cep_array_kind kind, int64_t index,
                               cep_theorem_curves *CEP_NULLABLE curves);

void cep_theorem_destroy(cep_theorem *CEP_NULLABLE theorem);

/* ---- 11. Energy and angles ---------------------------------------------------------------------- */

/* For each sample of the present states of a network with tied feedback. Real-time setting: the energy
 * 1/2 |s|^2 - sum r_above' W r_below - sum b' r with r = activation(s), over layers 1 ... L; the published
 * dynamics descend it but for the output layer (see follows_energy). Prototypical setting: minus the primitive
 * function sum s_above' W s_below + sum b' s. `count` is the batch size. */
cep_status cep_energy(cep_network *CEP_NULLABLE network, double *CEP_NULLABLE energies, int64_t count);

/* Degrees between the feedback weights and the transposed forward weights of connection 1 or higher; 0 where tied.
 */
cep_status cep_feedback_angle(cep_network *CEP_NULLABLE network, int64_t connection, double *CEP_NULLABLE degrees);

#ifdef __cplusplus
}
#endif

#if defined(__clang__)
#pragma clang assume_nonnull end
#pragma clang diagnostic pop
#endif

#endif /* CEP_H */
