/* Declarations shared by the files of the extension. The extension passes buffers to the engine, releases the GIL
 * during its work and turns statuses into exceptions. It computes nothing. */
#ifndef CEP_EXTENSION_H
#define CEP_EXTENSION_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "cep.h"

/* The state of the module in one interpreter. */
typedef struct {
    PyTypeObject *array_type;
    PyTypeObject *network_type;
    PyTypeObject *gradient_type;
    PyTypeObject *theorem_type;
    PyTypeObject *step_type;
    PyObject *divergence_error;
} module_state;

extern struct PyModuleDef cep_module;

/* array.c: an object with the buffer protocol over memory of the engine. */
extern PyType_Spec array_spec;
/* Takes ownership of the tensor. */
PyObject *array_new(module_state *state, const cep_tensor *tensor);

/* network.c */
extern PyType_Spec network_spec;

/* gradient.c and theorem.c: results of the engine that contain arrays. */
extern PyType_Spec gradient_spec;
extern PyType_Spec theorem_spec;
/* Steal the reference to the engine's object. */
PyObject *gradient_new(module_state *state, cep_gradient *gradient);
PyObject *theorem_new(module_state *state, cep_theorem *theorem);

/* step.c: a step of a phase, for a function that observes every step. */
extern PyType_Spec step_spec;
/* Calls a function with a step, which is invalid afterwards. Returns 0, or -1 with an exception set. */
int call_with_step(PyObject *function, const cep_step *step, module_state *state);

/* Results as tuples: (steps, residual, converged), (samples, errors, sum of losses). */
PyObject *outcome_tuple(const cep_phase_outcome *outcome);
PyObject *metrics_tuple(const cep_metrics *metrics);

/* arguments.c: converts Python objects to arguments of cep.h. On failure the functions return 0 with an exception set,
 * like converters of PyArg_ParseTuple. */
typedef struct {
    Py_buffer buffer; /* buffer.obj is NULL if no buffer is held */
    cep_matrix matrix;
} matrix_argument;
typedef struct {
    Py_buffer buffer;
    cep_targets targets;
} targets_argument;
typedef struct {
    PyObject *dictionary; /* a private copy that owns names and words */
    cep_options options;  /* items and numbers are allocated by PyMem */
} options_argument;

int convert_int64(PyObject *object, void *int64);
int convert_uint64(PyObject *object, void *uint64);
int convert_matrix(PyObject *object, void *matrix_argument_);
int convert_targets(PyObject *object, void *targets_argument_);
int convert_options(PyObject *object, void *options_argument_);
void release_matrix(matrix_argument *argument);
void release_targets(targets_argument *argument);
void release_options(options_argument *argument);

/* work.c: long calls of the engine.
 *
 * GIL policy: a call releases the GIL if its time depends on the size of a network or of data. Calls that take steps
 * may be long and run between begin_work and end_work. About every 20 ms the engine calls back on the same thread,
 * which acquires the GIL, lets signal handlers run (so that Ctrl-C raises KeyboardInterrupt), calls the Python progress
 * function if there is one, and releases the GIL again. With an observer it does the same after every step. Calls that
 * read memory once (creating, copying, checking, curves, energies, angles, views) and calls that free memory run
 * between Py_BEGIN_ALLOW_THREADS and Py_END_ALLOW_THREADS. The other calls take microseconds: the random state, the
 * number of threads. */
typedef struct {
    PyThreadState *thread;
    PyObject *callback; /* borrowed; called with (done, total, errors, loss_sum) */
    PyObject *observer; /* borrowed; called with a Step */
    module_state *state;
} work;

/* callback and observer may be None. */
cep_progress begin_work(work *work, PyObject *callback, PyObject *observer, module_state *state);
/* Acquires the GIL again. Returns 0, or -1 with an exception set if the status is not CEP_OK. */
int end_work(work *work, cep_status status);

/* errors.c: sets the exception for a status. Always returns NULL. */
PyObject *set_error(cep_status status, module_state *state);

#endif
