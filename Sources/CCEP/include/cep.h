/* SPDX-License-Identifier: Apache-2.0
 *
 * cep.h - the C interface of the cep engine.
 *
 * cep trains networks with Equilibrium Propagation, with or without continual weight updates
 * (Ernoult et al., 2020, arXiv 2005.04168). The engine is written in Swift. Other languages use it
 * through this header. If it is not in this file, it is not public.
 *
 * Sections, in order of need:
 *     1. Version, statuses, messages
 *     2. Options by name
 *     3. Networks
 *     4. Tensors: parameters and states in place
 *     5. Data
 *     6. Progress and steps
 *     7. Phases
 *     8. Learning rules and training
 *     9. Evaluation and prediction
 *    10. Gradients
 *    11. The theorem, step by step
 *    12. Energy and angles
 *    13. Devices
 *
 * Example (compiled and run by the tests): Examples/C/digits.c
 *
 * Conventions
 *     - Functions that can fail return a cep_status and write their result through the last pointer.
 *       If the status is not CEP_OK, no result is written, the parameters are as before the call, and
 *       cep_last_error() says what was wrong, what was expected and what was given. The exception is
 *       cep_train_epoch: if it stops or diverges, the parameters are those after the last whole batch.
 *       The states of a phase that stops or diverges are those of its last step.
 *     - Every function can return CEP_INVALID_ARGUMENT (NULL for a required pointer, an unknown name,
 *       a wrong shape, a number that is not finite or out of range, a handle that was released) and
 *       CEP_OUT_OF_MEMORY. Functions that take a network can return CEP_BUSY. Other statuses are
 *       listed with each function.
 *     - Pointers to data are not verified: passing valid memory of the stated size is the caller's
 *       responsibility. Handles (cep_network, cep_memory, cep_step, cep_gradient, cep_theorem) are
 *       verified: using one that was released or is of another kind is CEP_INVALID_ARGUMENT.
 *     - Data of the caller is row-major and contiguous. Layers are counted from the input: 0 ... L.
 *       Connection k of the chain joins layer k to layer k + 1. A readout comes next, then the
 *       connections that the option "connections" adds.
 *     - One thread at a time uses a network; a second one gets CEP_BUSY. Progress and step functions
 *       must not use the network. Different networks can be used by different threads.
 *     - Strings are UTF-8 and end with a zero byte. Strings that are returned are static, except
 *       for cep_last_error().
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

/* The visibility of each function. Define CEP_API as empty or as an import attribute if you need another one. */
#ifndef CEP_API
#if defined(__GNUC__)
#define CEP_API __attribute__((visibility("default")))
#else
#define CEP_API
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- 1. Version, statuses, messages ---------------------------------------------------------- */

#define CEP_VERSION_MAJOR 0
#define CEP_VERSION_MINOR 1
#define CEP_VERSION_PATCH 0
#define CEP_VERSION_NUMBER (CEP_VERSION_MAJOR * 10000 + CEP_VERSION_MINOR * 100 + CEP_VERSION_PATCH)
#define CEP_VERSION "0.1.0"

/* The version of the engine at run time: compare it with the macros of the header. */
CEP_API int32_t cep_version_number(void);
CEP_API const char *cep_version(void);

typedef int32_t cep_status;
enum {
    CEP_OK = 0,
    CEP_INVALID_ARGUMENT = 1, /* a value, shape or handle that cannot be used */
    CEP_INVALID_STATE = 2,    /* the call is not possible now: a nudged phase before a free one */
    CEP_OUT_OF_MEMORY = 3,    /* the memory needed is not available */
    CEP_DIVERGED = 4,         /* a state became infinite or not a number */
    CEP_STOPPED = 5,          /* the progress or step function asked to stop */
    CEP_BUSY = 6              /* another thread uses the network or the step */
};

/* "invalid argument" for CEP_INVALID_ARGUMENT and so on; "unknown status" for other numbers. */
CEP_API const char *cep_status_name(cep_status status);

/* The message of this thread's last call that failed; empty before the first. Valid until the next
 * failing call of the thread. At most 1023 bytes. */
CEP_API const char *cep_last_error(void);

/* The instruction set in use: "baseline", "avx2" or "avx512" on x86-64, "neon" on arm64. It is the widest one that the
 * processor has, or the one named by the environment variable CEP_INSTRUCTION_SET. If that one is not available,
 * cep_network_create fails. */
CEP_API const char *cep_instruction_set(void);

/* The number of threads that the engine uses for one network, the caller's included: 1 to 1024. The default is
 * the environment variable CEP_NUM_THREADS, or OMP_NUM_THREADS, or the processors available to the process, which
 * respects affinity and the limits of containers. Results do not depend on it. */
CEP_API cep_status cep_set_num_threads(int64_t count);
CEP_API int64_t cep_get_num_threads(void);

/* ---- 2. Options by name ----------------------------------------------------------------------- */

/* An option: a name and a value. The value is a word, numbers or integers; the other two pointers are NULL.
 * A flag is one integer, 0 or 1. */
typedef struct cep_option {
    const char *CEP_NULLABLE name;
    const char *CEP_NULLABLE text;
    const double *CEP_NULLABLE numbers;
    const int64_t *CEP_NULLABLE integers;
    int64_t count; /* of numbers or integers */
} cep_option;

/* The options of a network, a rule or a theorem check. Names that are not listed there are refused. */
typedef struct cep_options {
    const cep_option *CEP_NULLABLE items;
    int64_t count;
} cep_options;

/* The words that an option takes, separated by commas: "tied,untied" for "feedback". NULL for other options. */
CEP_API const char *CEP_NULLABLE cep_option_words(const char *CEP_NULLABLE name);

/* ---- 3. Networks ------------------------------------------------------------------------------ */

typedef struct cep_network cep_network;

/* Creates a network. Weights and biases are drawn from U(-1/sqrt(fan_in), 1/sqrt(fan_in)).
 *
 * With a = W s(below) + b + V s(above) the preactivation of a layer, the options are:
 *
 *   sizes           integers: units of each layer, input first, at least 3. With a readout the last one is the
 *                   number of its classes.
 *   layers          in place of sizes, a word for each layer, separated by commas: the shape of the input, as
 *                   1x28x28 or 784; then units of a dense layer, or a convolution with its channels and kernel and,
 *                   if they are not 1, 0 and none, its stride, its padding and its pooling by windows of 2x2 pixels
 *                   (max or average): conv2d:32:5x5:stride=1x1:padding=0x0:pool=max. With a readout the last one is
 *                   the number of its classes.
 *   setting         "prototypical" (default): s <- activation(a)
 *                   "real-time": s <- s + dt (-s + f a), with a computed from activation(s); f = activation'(s) on
 *                   the hidden layers of tied networks, and 1 elsewhere
 *   activation      "shifted_sigmoid" (default) 1 / (1 + exp(-4 (x - 1/2))), "hard_sigmoid" min(max(x, 0), 1),
 *                   "tanh", "sigmoid" 1 / (1 + exp(-x)), "half_hard_sigmoid" min(max(x / 2, 0), 1) or "linear".
 *                   Or points that straight pieces join, tabulated:X/Y:X/Y..., X rising and Y monotone.
 *                   One word, or one for each layer after the input and before a readout, separated by commas.
 *   feedback        "tied" (default): the transposed forward weights; an energy-based network
 *                   "untied": separate feedback weights; a vector field
 *   feedback_angle  number: initial angle between feedback and forward weights in degrees, 0 (default) to 180
 *   dtype           "float32" (default) or "float64"
 *   seed            integer, its 64 bits: the same seed gives the same parameters. Default 0
 *   dt              number: time step of the real-time setting, in (0, 1]. Default 0.2
 *   clamp           flag: whether the real-time setting clamps states to [0, 1] after every step. Default 1
 *   follows_energy  flag: whether the output layer of a tied real-time network has the factor activation'(s) too,
 *                   which the published equations leave out. Then states descend the energy. Default 0
 *   relaxation      "synchronous" (default): in a step of a free phase all layers move from their old states
 *                   "alternating": layers 1, 3, ... move first, then layers 2, 4, ...
 *   tolerance       number, 0 or more: a sample rests, and its phase ends, after a step that changed none of its
 *                   states by more than this. Default 0
 *   loss            "squared_error" (default) or "cross_entropy", for which the output layer is linear
 *   readout         flag: whether the last of sizes is a softmax readout outside the dynamics. Default 0
 *   nudging         prototypical setting: "outside", s <- activation(a) + beta pull (default), or "inside",
 *                   s <- activation(a + beta pull) (default with a readout, which needs it)
 *   connections     integers, pairs (from, to): layers joined by connections outside the chain, without biases
 *   synapses        the models of synapses, which turn a requested change of a weight into the change made: one word
 *                   for all connections, or one for each, separated by commas; see section 13. Default: "ideal"
 *   bias_synapses   the same for biases. Default: "ideal"
 *   neurons         parameters separated by colons, as state_noise=0.01:state_bits=8. Default: ideal neurons
 *                   state_noise: s <- s + state_noise xi after every step
 *                   state_bits: 1 to 16; the states that layers send, and that updates read, are rounded to 2^bits
 *                   levels of the activation's range. Linear layers have no range and are not rounded
 *                   gain_dtod, offset_dtod: prototypical setting: activation(g u + o) of each neuron, g drawn once
 *                   from N(1, gain_dtod), o from N(0, offset_dtod)
 *   read_noise      number: products see w + read_noise xi in place of weights and feedback weights. Default 0
 *   read_noise_every  "step" (default) or "phase": how often xi is drawn
 *   feedback_mismatch  number: feedback_mismatch xi is added to the initial feedback weights. Untied only. Default 0
 *   connection_kinds  a kind for each pair, separated by commas: "dense", or a convolution as in layers. Default:
 *                   "dense" for all
 *
 * Release the network with cep_network_destroy. */
CEP_API cep_status cep_network_create(const cep_options *CEP_NULLABLE options,
                                      cep_network * CEP_NULLABLE * CEP_NULLABLE network);

/* An independent copy with the same options, parameters, states, optimizer state and random state.
 * Release it with cep_network_destroy. */
CEP_API cep_status cep_network_copy(cep_network *CEP_NULLABLE network,
                                    cep_network * CEP_NULLABLE * CEP_NULLABLE copy);

/* Releases a network. NULL is allowed. Tensors taken from it stay valid. If a call in another thread uses the
 * network, the memory is freed when that call returns. */
CEP_API void cep_network_destroy(cep_network *CEP_NULLABLE network);

/* ---- 4. Tensors: parameters and states in place ----------------------------------------------- */

typedef int32_t cep_dtype;
enum { CEP_FLOAT32 = 0, CEP_FLOAT64 = 1 };

enum { CEP_MAX_RANK = 8 };

/* Memory of the engine that a tensor keeps alive. */
typedef struct cep_memory cep_memory;

/* A view of memory of the engine. Writing through it changes the network; the next phase uses what was written.
 * Release it with cep_tensor_release. It stays valid when the network is gone. */
typedef struct cep_tensor {
    void *CEP_NULLABLE data;
    cep_dtype dtype;
    int32_t rank;
    int64_t shape[CEP_MAX_RANK];
    int64_t strides[CEP_MAX_RANK]; /* in bytes */
    cep_memory *CEP_NULLABLE memory;
} cep_tensor;

/* A tensor of the network by name:
 *
 *   weights           of connection `index`: units of the upper layer x units of the lower layer; of a convolution
 *                     channels of the upper layer x channels of the lower layer x height x width of the kernel
 *   biases            of connection `index` of the chain, or of a readout: units of the upper layer
 *   feedback_weights  of connection `index`, untied and not from the input: lower x upper; of a convolution as
 *                     weights
 *   counters          five numbers of float64, index 0: steps of phases; steps times samples; multiply-accumulates of
 *                     the products of phases; states sent; numbers remembered from one phase to the next. They count
 *                     from the creation or copy of the network
 *   weights.counters, weights.w_max, ...  of the devices of connection `index` (see section 13)
 *   states            of layer `index`, 0 being the clamped input: batch x units
 *
 * The states get new memory when the batch size changes; a tensor taken before keeps the old states.
 * CEP_INVALID_STATE for states before the first phase. */
CEP_API cep_status cep_network_tensor(cep_network *CEP_NULLABLE network, const char *CEP_NULLABLE name,
                                      int64_t index, cep_tensor *CEP_NULLABLE tensor);

/* Releases a tensor and sets it to zero. NULL and a tensor of zeros are allowed. */
CEP_API void cep_tensor_release(cep_tensor *CEP_NULLABLE tensor);

/* A name and an index, as in functions that return tensors. */
typedef struct cep_parameter {
    const char *CEP_NULLABLE name;
    int64_t index;
} cep_parameter;

/* Lists the parameters of the network in the order of the connections. The first `capacity` of them are written to
 * `parameters`, which may be NULL if capacity is 0. `count` receives the number of all parameters. */
CEP_API cep_status cep_network_parameters(cep_network *CEP_NULLABLE network,
                                          cep_parameter *CEP_NULLABLE parameters, int64_t capacity,
                                          int64_t *CEP_NULLABLE count);

/* ---- 5. Data ---------------------------------------------------------------------------------- */

/* A row-major matrix of the caller, read during the call. Its dtype need not be the network's. Every
 * value must be finite. */
typedef struct cep_matrix {
    const void *CEP_NULLABLE data;
    cep_dtype dtype;
    int64_t rows;
    int64_t columns;
} cep_matrix;

/* Targets: class labels 0 ... classes - 1 (one-hot targets), or, if labels is NULL, a matrix of target values. The
 * largest value of a row names the class. */
typedef struct cep_targets {
    const int64_t *CEP_NULLABLE labels;
    int64_t label_count;
    cep_matrix values;
} cep_targets;

/* ---- 6. Progress and steps -------------------------------------------------------------------- */

typedef struct cep_progress_report {
    int64_t done;    /* samples (training, evaluation, prediction) or steps (a phase) */
    int64_t total;   /* of the same */
    int64_t errors;  /* wrong predictions among them; 0 in a phase */
    double loss_sum; /* sum of their losses; 0 in a phase */
} cep_progress_report;

/* Called about every 20 ms on the thread that made the call. A return value other than 0 stops the work:
 * the call returns CEP_STOPPED. */
typedef int32_t (*cep_progress_function)(const cep_progress_report *report, void *CEP_NULLABLE context);

/* A step of a phase. It is valid while the step function runs. */
typedef struct cep_step cep_step;

typedef struct cep_step_summary {
    int64_t step;         /* steps of the phase taken; 0 at its start */
    double beta;          /* strength of the nudging; 0 in a free phase */
    double residual;      /* max |s(t+1) - s(t)| of the step over all units of the batch; 0 at the start */
    int32_t weights_move; /* whether this is the nudged phase of a continual rule */
} cep_step_summary;

/* For use in a step function. */
CEP_API cep_status cep_step_summarize(const cep_step *CEP_NULLABLE step, cep_step_summary *CEP_NULLABLE summary);

/* For use in a step function: a tensor of the network at this step, by the names of cep_network_tensor. States, and
 * parameters that do not move, are the memory that the phase works on: they are read only and change with the next
 * step. Parameters that move may be computed for this call; after the last step they equal the final parameters bit for
 * bit. One thread takes a tensor at a time; a second one gets CEP_BUSY. Release the tensor with cep_tensor_release. */
CEP_API cep_status cep_step_tensor(const cep_step *CEP_NULLABLE step, const char *CEP_NULLABLE name, int64_t index,
                                   cep_tensor *CEP_NULLABLE tensor);

/* Called at the start of every phase of a call and after each step, on the thread that made the call. A return
 * value other than 0 stops the work, as with the progress function. Results do not depend on it. */
typedef int32_t (*cep_step_function)(const cep_step *step, void *CEP_NULLABLE context);

typedef struct cep_progress {
    cep_progress_function CEP_NULLABLE function;
    cep_step_function CEP_NULLABLE step;
    void *CEP_NULLABLE context; /* passed to both */
} cep_progress;

/* ---- 7. Phases -------------------------------------------------------------------------------- */

typedef struct cep_phase_outcome {
    int64_t steps;     /* steps taken */
    double residual;   /* max |s(t+1) - s(t)| of the last step, over all units of the batch */
    int32_t converged; /* whether the residual is at most the square root of the dtype's epsilon */
} cep_phase_outcome;

/* Clamps the input to x (batch x units of layer 0) and relaxes without nudging, from zero states or, if
 * continue_from_state is not 0, from the present ones, which must have the same batch size.
 * CEP_INVALID_STATE if the network has no states to continue from; CEP_DIVERGED, CEP_STOPPED. */
CEP_API cep_status cep_free_phase(cep_network *CEP_NULLABLE network, const cep_matrix *CEP_NULLABLE x,
                                  int64_t steps, int32_t continue_from_state, cep_progress progress,
                                  cep_phase_outcome *CEP_NULLABLE outcome);

/* Relaxes from the present states with the output nudged towards the targets with strength beta (not 0). Weights
 * do not move. CEP_INVALID_STATE before any free phase; CEP_DIVERGED, CEP_STOPPED. */
CEP_API cep_status cep_nudged_phase(cep_network *CEP_NULLABLE network, const cep_targets *CEP_NULLABLE targets,
                                    double beta, int64_t steps, cep_progress progress,
                                    cep_phase_outcome *CEP_NULLABLE outcome);

/* ---- 8. Learning rules and training ----------------------------------------------------------- */

/* The options of a learning rule:
 *
 *   rule                 "ep": one update from the two steady states
 *                        "cep": continual, an update at every step of the nudged phase
 *                        "bptt": backpropagation through the steps of the free phase
 *                        "rbp": recurrent backpropagation at the steady state
 *   free_steps           integer, 1 or more. Required.
 *   nudged_steps         ep, cep: integer, 1 or more. Required there.
 *   beta                 ep, cep: number, finite and not 0. Required there.
 *   beta_sign            ep, cep: "fixed" (default); "random", drawn for each batch with probability 1/2; or
 *                        "symmetric" (ep), phases at +beta and -beta from the same steady state
 *   accumulate           ep: flag: whether to sum updates over the steps of the nudged phase instead of taking the
 *                        update from its ends. The two differ with untied feedback. Default 0
 *   feedback_update      ep, cep, with untied feedback: "own" (default), an update of each set of weights;
 *                        "shared", for both the mean of what each would get if it were tied
 *   asymmetry            ep, cep: "vector-field" (default), or "exact": the nudged phase is corrected so that the
 *                        update is the gradient with any feedback weights (AsymEP, Scurria et al., 2026)
 *   write_every_step     cep: flag: whether to write the weights at every step instead of keeping their change as
 *                        a product of a few rows. The two differ in rounding. Default 0
 *   last_steps           bptt: integer, the last steps, through which gradients are sent back. Default: all
 *   tolerance            rbp: number in (0, 1), the size of the last gradient relative to the first. Default 1e-6
 *   max_iterations       rbp: integer. CEP_DIVERGED if the tolerance is not reached by then. Default 10000
 *   learning_rates       numbers, one for each connection. Required, except to estimate gradients.
 *   bias_learning_rates  numbers. Default: the learning rates
 *   feedback_learning_rates  numbers, of feedback weights; 0 keeps them as they are. Default: the learning rates
 *   optimizer            "sgd" (default) or "adam"
 *   momentum             sgd: number in [0, 1). Default 0
 *   beta1, beta2, epsilon  adam: numbers. Default 0.9, 0.999, 1e-8
 *   weight_decay         one number, or one for each connection: it is multiplied by the parameter and added to
 *                        the gradient. Default 0
 */

typedef struct cep_metrics {
    int64_t samples;
    int64_t errors;  /* wrong predictions at the end of the free phase */
    double loss;     /* mean over samples at the end of the free phase */
    double loss_sum; /* the sum of the same */
} cep_metrics;

/* Trains one batch: free phase, nudged phase, update. The states are those at the end of the nudged phase.
 * CEP_DIVERGED, CEP_STOPPED. */
CEP_API cep_status cep_train_batch(cep_network *CEP_NULLABLE network, const cep_matrix *CEP_NULLABLE x,
                                   const cep_targets *CEP_NULLABLE targets, const cep_options *CEP_NULLABLE rule,
                                   cep_progress progress, cep_metrics *CEP_NULLABLE metrics);

/* Part of an epoch. Consecutive parts give the same result as the whole epoch, bit for bit. */
typedef struct cep_epoch_part {
    int64_t first_batch; /* batches trained before */
    int64_t batch_count; /* batches to train; 0 for all that remain */
    int64_t errors;      /* of the batches before: metrics and progress continue from here */
    double loss_sum;     /* of the same; finite, 0 or more */
} cep_epoch_part;

/* Trains one epoch in an order drawn from shuffle_seed, in batches of batch_size rows (the last one may be
 * smaller), or the given part of it (NULL for the whole). x and targets must not be memory of the network.
 * CEP_DIVERGED, CEP_STOPPED. */
CEP_API cep_status cep_train_epoch(cep_network *CEP_NULLABLE network, const cep_matrix *CEP_NULLABLE x,
                                   const cep_targets *CEP_NULLABLE targets, const cep_options *CEP_NULLABLE rule,
                                   int64_t batch_size, uint64_t shuffle_seed,
                                   const cep_epoch_part *CEP_NULLABLE part, cep_progress progress,
                                   cep_metrics *CEP_NULLABLE metrics);

/* The state of the network's random numbers. cep_train_batch and cep_gradient_estimate draw random signs of beta
 * from it; epochs draw from shuffle_seed. At least one word is not 0. */
typedef struct cep_random_state {
    uint64_t words[4];
} cep_random_state;

CEP_API cep_status cep_get_random_state(cep_network *CEP_NULLABLE network, cep_random_state *CEP_NULLABLE state);
CEP_API cep_status cep_set_random_state(cep_network *CEP_NULLABLE network,
                                        const cep_random_state *CEP_NULLABLE state);

/* The state that an optimizer keeps between updates: "velocity" (sgd with momentum), or "first_moment" and
 * "second_moment" (adam), each with the shapes of the parameters. It is part of the network. */
typedef struct cep_optimizer_summary {
    char name[16]; /* "sgd" or "adam"; empty before the first update */
    int64_t steps; /* updates made */
} cep_optimizer_summary;

/* Creates the state of a rule's optimizer: zeros, unless the network was last updated by that optimizer. */
CEP_API cep_status cep_optimizer_prepare(cep_network *CEP_NULLABLE network, const cep_options *CEP_NULLABLE rule);
CEP_API cep_status cep_optimizer_summarize(cep_network *CEP_NULLABLE network,
                                           cep_optimizer_summary *CEP_NULLABLE summary);
/* steps: 0 to 2^53. CEP_INVALID_STATE without a state. */
CEP_API cep_status cep_optimizer_set_steps(cep_network *CEP_NULLABLE network, int64_t steps);
/* The optimizer's state `state` for one parameter. CEP_INVALID_STATE without a state. Release the tensor with
 * cep_tensor_release. */
CEP_API cep_status cep_optimizer_tensor(cep_network *CEP_NULLABLE network, const char *CEP_NULLABLE state,
                                        const char *CEP_NULLABLE name, int64_t index,
                                        cep_tensor *CEP_NULLABLE tensor);

/* ---- 9. Evaluation and prediction ------------------------------------------------------------- */

/* Checks data as training and evaluation do: shapes, labels, finite values. */
CEP_API cep_status cep_check_samples(cep_network *CEP_NULLABLE network, const cep_matrix *CEP_NULLABLE x,
                                     const cep_targets *CEP_NULLABLE targets);

/* Free phases over the data. The network does not change. CEP_DIVERGED, CEP_STOPPED. */
CEP_API cep_status cep_evaluate(cep_network *CEP_NULLABLE network, const cep_matrix *CEP_NULLABLE x,
                                const cep_targets *CEP_NULLABLE targets, int64_t steps, cep_progress progress,
                                cep_metrics *CEP_NULLABLE metrics);

/* The class of each row of x: the largest score after a free phase, written to classes (class_count = rows of x).
 * The network does not change. CEP_DIVERGED, CEP_STOPPED. */
CEP_API cep_status cep_predict(cep_network *CEP_NULLABLE network, const cep_matrix *CEP_NULLABLE x, int64_t steps,
                               cep_progress progress, int64_t *CEP_NULLABLE classes, int64_t class_count);

/* ---- 10. Gradients ---------------------------------------------------------------------------- */

/* A rule's estimate of the gradient of the mean loss at the end of the free phase: the negative of the rule's update
 * at learning rate 1. */
typedef struct cep_gradient cep_gradient;

/* x is one batch. The network does not change. Release the gradient with cep_gradient_destroy.
 * CEP_DIVERGED, CEP_STOPPED. */
CEP_API cep_status cep_gradient_estimate(cep_network *CEP_NULLABLE network, const cep_matrix *CEP_NULLABLE x,
                                         const cep_targets *CEP_NULLABLE targets,
                                         const cep_options *CEP_NULLABLE rule, cep_progress progress,
                                         cep_metrics *CEP_NULLABLE metrics,
                                         cep_gradient * CEP_NULLABLE * CEP_NULLABLE gradient);

/* The gradient of a parameter, with the parameter's shape. Release it with cep_tensor_release. */
CEP_API cep_status cep_gradient_tensor(const cep_gradient *CEP_NULLABLE gradient, const char *CEP_NULLABLE name,
                                       int64_t index, cep_tensor *CEP_NULLABLE tensor);

CEP_API void cep_gradient_destroy(cep_gradient *CEP_NULLABLE gradient);

/* ---- 11. The theorem, step by step ------------------------------------------------------------- */

/* Theorem 1 of Ernoult et al. (2020) on one batch: the updates of neurons and synapses at each step of the nudged
 * phase, and the negative gradients that BPTT sends back through the last steps of the free phase. */
typedef struct cep_theorem cep_theorem;

/* The network does not change. Everything is computed in float64 on a copy of the network, which is busy only
 * while it is copied. Release the result with cep_theorem_destroy. CEP_DIVERGED, CEP_STOPPED. The options are:
 *
 *   free_steps, nudged_steps  integers; nudged_steps is at most free_steps. Required.
 *   beta                      number. Required.
 *   learning_rates            numbers, one for each connection during the nudged phase; 0 for EP. Required.
 *   bias_learning_rates       numbers. Default: the learning rates
 *   as_recorded               flag: whether to leave out what the paper's code leaves out: the term t = 0 of the
 *                             weights, neurons that the nudging has not reached yet (layer l at t < L - l), and
 *                             neurons that a step leaves at a bound of the clamping. Default 0
 */
CEP_API cep_status cep_theorem_check(cep_network *CEP_NULLABLE network, const cep_matrix *CEP_NULLABLE x,
                                     const cep_targets *CEP_NULLABLE targets,
                                     const cep_options *CEP_NULLABLE options, cep_progress progress,
                                     cep_theorem * CEP_NULLABLE * CEP_NULLABLE theorem);

typedef struct cep_theorem_summary {
    double angle;                 /* degrees between the total update and the total gradient of all weights */
    cep_phase_outcome free_phase; /* the theorem assumes that it converged */
} cep_theorem_summary;

CEP_API cep_status cep_theorem_summarize(const cep_theorem *CEP_NULLABLE theorem,
                                         cep_theorem_summary *CEP_NULLABLE summary);

typedef struct cep_theorem_curves {
    cep_tensor updates;    /* nudged_steps x entries; release both with cep_tensor_release */
    cep_tensor gradients;  /* the same; the negative gradient */
    double relative_error; /* |updates - gradients| / |gradients| */
    double sign_agreement; /* share of equal signs among entries where neither is 0 */
} cep_theorem_curves;

/* The curves of a parameter by name and index, or ("states") of the neurons of a layer 1 ... L, summed over the
 * batch. Entries are in the order of the parameter's memory. */
CEP_API cep_status cep_theorem_compare(const cep_theorem *CEP_NULLABLE theorem, const char *CEP_NULLABLE name,
                                       int64_t index, cep_theorem_curves *CEP_NULLABLE curves);

CEP_API void cep_theorem_destroy(cep_theorem *CEP_NULLABLE theorem);

/* ---- 12. Energy and angles ---------------------------------------------------------------------- */

/* The energy of each sample of the present states, for a network with tied feedback. Real-time setting:
 * 1/2 |s|^2 - sum r_above' W r_below - sum b' r with r = activation(s), over layers 1 ... L. Prototypical setting:
 * the negative primitive function -(sum s_above' W s_below + sum b' s). `count` is the batch size.
 * CEP_INVALID_STATE before the first phase. */
CEP_API cep_status cep_energy(cep_network *CEP_NULLABLE network, double *CEP_NULLABLE energies, int64_t count);

/* Degrees between the feedback weights and the transposed forward weights of a connection that is not from the
 * input; 0 if they are tied. */
CEP_API cep_status cep_feedback_angle(cep_network *CEP_NULLABLE network, int64_t connection,
                                      double *CEP_NULLABLE degrees);

/* ---- 13. Devices -------------------------------------------------------------------------------- */

/* A synapse is a word followed by its parameters, separated by colons: linear_step:dw_min=0.002:gamma_up=0.1. A
 * requested change D of a weight w becomes:
 *
 *   ideal             w + D
 *   bounded           w + D, clipped to w_min ... w_max
 *   quantized         D rounded to levels w_min + k (w_max - w_min) / (2^bits - 1). bits is 1 to 16; rounding is
 *                     "nearest" (default) or "stochastic"
 *   constant_step     |D| / dw_min pulses in the direction d of D. Each changes the weight by
 *   linear_step         d dw_min (1 + d up_down) f(w) (1 + dw_min_std xi),
 *   soft_bounds       xi standard normal, and is clipped to w_min ... w_max. f(w) is:
 *   exponential_step    constant_step 1; linear_step 1 - gamma_up w / w_max up, 1 - gamma_down w / w_min down;
 *   power_step          soft_bounds the same with gamma 1; exponential_step max(0, 1 - A exp(d gamma z)) with
 *                       z = 2 a w / (w_max - w_min) + b, of A_up, A_down, gamma_up, gamma_down, a and b;
 *                       power_step o^pow_gamma up, (1 - o)^pow_gamma down, o = (w_max - w) / (w_max - w_min).
 *                     With mult_noise=0, linear_step has f(w) + dw_min_std xi instead.
 *
 * Parameters of all models except ideal: w_min, w_max (-1 and 1 for models with pulses; required for others), and
 * clip_initial, 0 (default) or 1: whether initial weights outside the bounds are clipped or refused.
 *
 * Parameters of models with pulses: dw_min (required); dw_min_std, up_down (0); rounding of the number of pulses,
 * "stochastic" (default), "nearest" or "truncate"; max_pulses of a write (1000); write_noise_std (0): products see w +
 * write_noise_std dw_min xi, redrawn at each write; lifetime (0, none): w <- w (1 - 1 / lifetime) once a batch;
 * diffusion (0): w <- w + diffusion xi once a batch. The suffix _dtod (0) gives the standard deviation from device to
 * device, of dw_min, up_down, w_max, w_min, lifetime and the parameters of the step except a, b and A. It is relative
 * to the value, but absolute for up_down. Each device draws its values when the network is created.
 *
 * Random draws depend only on the seed of the network, the tensor, the element and the number of the update. */

/* Lists the tensors of the devices of a network, by names for cep_network_tensor: first the values drawn for each
 * synapse ("weights.w_max"; "weights.write_noise"), with the shape of the parameter, then "weights.counters", five
 * numbers of float64: updates, batches, synapses written, pulses up, pulses down. Together with the parameters they are
 * the whole state of the devices. "gains" and "offsets" belong to neurons; their index is the layer. The arguments are
 * those of cep_network_parameters. */
CEP_API cep_status cep_network_devices(cep_network *CEP_NULLABLE network, cep_parameter *CEP_NULLABLE tensors,
                                       int64_t capacity, int64_t *CEP_NULLABLE count);

/* The weight of one device after each of `count` pulses (directions: 1 up, -1 down), starting from `weight`. The seed
 * determines the device and its pulses. With a count of 0 the synapse is only checked. */
CEP_API cep_status cep_pulse_response(const char *CEP_NULLABLE synapse, const int64_t *CEP_NULLABLE directions,
                                      int64_t count, double weight, uint64_t seed, double *CEP_NULLABLE weights);

#ifdef __cplusplus
}
#endif

#if defined(__clang__)
#pragma clang assume_nonnull end
#pragma clang diagnostic pop
#endif

#endif /* CEP_H */
