/* What the files of the extension share. The extension hands buffers to the engine, releases the GIL around its
 * work and turns its statuses into exceptions. It computes nothing. */
#ifndef CEP_EXTENSION_H
#define CEP_EXTENSION_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "cep.h"

/* Of each interpreter its own. */
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
/* Takes over the tensor. */
PyObject *array_new(module_state *state, const cep_tensor *tensor);

/* network.c */
extern PyType_Spec network_spec;

/* gradient.c and theorem.c: results of the engine that arrays are taken from. */
extern PyType_Spec gradient_spec;
extern PyType_Spec theorem_spec;
/* Steal the reference to the engine's object. */
PyObject *gradient_new(module_state *state, cep_gradient *gradient);
PyObject *theorem_new(module_state *state, cep_theorem *theorem);

/* step.c: a moment of a phase, as a function that sees every step is handed it. */
extern PyType_Spec step_spec;
/* Calls a function with a step, which cannot be used any more afterwards. Returns 0, or -1 with an exception set.
 */
int call_with_step(PyObject *function, const cep_step *step, module_state *state);

/* Results as tuples: (steps, residual, converged), (samples, errors, sum of losses). */
PyObject *outcome_tuple(const cep_phase_outcome *outcome);
PyObject *metrics_tuple(const cep_metrics *metrics);

/* arguments.c: from Python objects to what cep.h takes. Return 0 with an exception set on failure, as converters
 * of PyArg_ParseTuple do. */
typedef struct {
    Py_buffer buffer; /* buffer.obj is NULL where there is none */
    cep_matrix matrix;
} matrix_argument;
typedef struct {
    Py_buffer buffer;
    cep_targets targets;
} targets_argument;
typedef struct {
    PyObject *dictionary; /* a copy, which nobody else can change: it owns names and words */
    cep_options options;  /* items and their numbers are of PyMem */
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
 * GIL policy: every call whose time depends on the size of a network or of data releases the GIL. Those that may
 * take long, because they take steps, run between begin_work and end_work. Every 20 ms or so the engine calls
 * back on the same thread, which takes the GIL, lets signal handlers run (so that Ctrl-C raises
 * KeyboardInterrupt), calls the Python progress function if there is one, and releases the GIL again. Where there
 * is an observer it does the same after every step. Those that go through memory once (creating, copying,
 * checking, curves, energies, angles), a view, which looks at every layer, and those that give memory back run
 * between Py_BEGIN_ALLOW_THREADS and Py_END_ALLOW_THREADS. What is left takes microseconds: the random state, the
 * number of threads. */
typedef struct {
    PyThreadState *thread;
    PyObject *callback; /* borrowed; called with (done, total, errors, loss_sum) */
    PyObject *observer; /* borrowed; called with a Step */
    module_state *state;
} work;

/* callback and observer may be None. */
cep_progress begin_work(work *work, PyObject *callback, PyObject *observer, module_state *state);
/* Takes the GIL back. Returns 0, or -1 with an exception set where the status is not CEP_OK. */
int end_work(work *work, cep_status status);

/* errors.c: sets the exception for a status. Always returns NULL. */
PyObject *set_error(cep_status status, module_state *state);

#endif
