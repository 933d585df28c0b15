/* _cep.Network: one network of the engine. cep.Network is built on it. */
#include "extension.h"

typedef struct {
    PyObject_HEAD cep_network *network;
} Network;

static cep_network *network_of(PyObject *self) { return ((Network *)self)->network; }

/* A network object of this type. Steals the engine's network. */
static PyObject *network_new(PyTypeObject *type, cep_network *network) {
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    Network *self = (Network *)allocate(type, 0);
    if (self == NULL) {
        cep_network_destroy(network);
        return NULL;
    }
    self->network = network;
    return (PyObject *)self;
}

static PyObject *network_create(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    module_state *state = PyType_GetModuleState(type);
    if (state == NULL) {
        return NULL;
    }
    static char *names[] = {"", NULL};
    options_argument options = {0};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O&:Network", names, convert_options, &options)) {
        return NULL;
    }
    cep_network *network = NULL;
    cep_status status;
    Py_BEGIN_ALLOW_THREADS;
    status = cep_network_create(&options.options, &network);
    Py_END_ALLOW_THREADS;
    release_options(&options);
    if (status != CEP_OK) {
        return set_error(status, state);
    }
    return network_new(type, network);
}

static PyObject *network_copy(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    module_state *state = PyType_GetModuleState(Py_TYPE(self));
    if (state == NULL) {
        return NULL;
    }
    cep_network *copy = NULL;
    cep_status status;
    Py_BEGIN_ALLOW_THREADS;
    status = cep_network_copy(network_of(self), &copy);
    Py_END_ALLOW_THREADS;
    return status == CEP_OK ? network_new(Py_TYPE(self), copy) : set_error(status, state);
}

static void network_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    cep_network *network = network_of(self);
    Py_BEGIN_ALLOW_THREADS;
    cep_network_destroy(network);
    Py_END_ALLOW_THREADS;
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(self);
    Py_DECREF(type);
}

static PyObject *network_array(PyObject *self, PyObject *args) {
    const char *name;
    int64_t index;
    module_state *state = PyType_GetModuleState(Py_TYPE(self));
    if (state == NULL || !PyArg_ParseTuple(args, "sO&:array", &name, convert_int64, &index)) {
        return NULL;
    }
    cep_tensor tensor;
    cep_status status;
    /* It reads every layer. */
    Py_BEGIN_ALLOW_THREADS;
    status = cep_network_tensor(network_of(self), name, index, &tensor);
    Py_END_ALLOW_THREADS;
    return status == CEP_OK ? array_new(state, &tensor) : set_error(status, state);
}

static PyObject *network_free_phase(PyObject *self, PyObject *args) {
    matrix_argument x = {0};
    int64_t steps;
    int continue_from_state;
    PyObject *observer;
    module_state *state = PyType_GetModuleState(Py_TYPE(self));
    if (state == NULL || !PyArg_ParseTuple(args, "O&O&pO:free_phase", convert_matrix, &x, convert_int64, &steps,
                                           &continue_from_state, &observer)) {
        return NULL;
    }
    cep_phase_outcome outcome;
    work work;
    cep_progress progress = begin_work(&work, Py_None, observer, state);
    cep_status status =
        cep_free_phase(network_of(self), &x.matrix, steps, continue_from_state, progress, &outcome);
    int failed = end_work(&work, status);
    release_matrix(&x);
    return failed ? NULL : outcome_tuple(&outcome);
}

static PyObject *network_nudged_phase(PyObject *self, PyObject *args) {
    targets_argument y = {0};
    double beta;
    int64_t steps;
    PyObject *observer;
    module_state *state = PyType_GetModuleState(Py_TYPE(self));
    if (state == NULL || !PyArg_ParseTuple(args, "O&dO&O:nudged_phase", convert_targets, &y, &beta, convert_int64,
                                           &steps, &observer)) {
        return NULL;
    }
    cep_phase_outcome outcome;
    work work;
    cep_progress progress = begin_work(&work, Py_None, observer, state);
    cep_status status = cep_nudged_phase(network_of(self), &y.targets, beta, steps, progress, &outcome);
    int failed = end_work(&work, status);
    release_targets(&y);
    return failed ? NULL : outcome_tuple(&outcome);
}

static PyObject *network_train_batch(PyObject *self, PyObject *args) {
    matrix_argument x = {0};
    targets_argument y = {0};
    options_argument rule = {0};
    PyObject *observer;
    module_state *state = PyType_GetModuleState(Py_TYPE(self));
    if (state == NULL || !PyArg_ParseTuple(args, "O&O&O&O:train_batch", convert_matrix, &x, convert_targets, &y,
                                           convert_options, &rule, &observer)) {
        return NULL;
    }
    cep_metrics metrics;
    work work;
    cep_progress progress = begin_work(&work, Py_None, observer, state);
    cep_status status =
        cep_train_batch(network_of(self), &x.matrix, &y.targets, &rule.options, progress, &metrics);
    int failed = end_work(&work, status);
    release_matrix(&x);
    release_targets(&y);
    release_options(&rule);
    return failed ? NULL : metrics_tuple(&metrics);
}

static PyObject *network_train_epoch(PyObject *self, PyObject *args) {
    matrix_argument x = {0};
    targets_argument y = {0};
    options_argument rule = {0};
    int64_t batch_size;
    uint64_t shuffle_seed;
    cep_epoch_part part;
    PyObject *callback;
    module_state *state = PyType_GetModuleState(Py_TYPE(self));
    if (state == NULL ||
        !PyArg_ParseTuple(args, "O&O&O&O&O&(O&O&O&d)O:train_epoch", convert_matrix, &x, convert_targets, &y,
                          convert_options, &rule, convert_int64, &batch_size, convert_uint64, &shuffle_seed,
                          convert_int64, &part.first_batch, convert_int64, &part.batch_count, convert_int64,
                          &part.errors, &part.loss_sum, &callback)) {
        return NULL;
    }
    cep_metrics metrics;
    work work;
    cep_progress progress = begin_work(&work, callback, Py_None, state);
    cep_status status = cep_train_epoch(network_of(self), &x.matrix, &y.targets, &rule.options, batch_size,
                                        shuffle_seed, &part, progress, &metrics);
    int failed = end_work(&work, status);
    release_matrix(&x);
    release_targets(&y);
    release_options(&rule);
    return failed ? NULL : metrics_tuple(&metrics);
}

static PyObject *network_get_random_state(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    module_state *module = PyType_GetModuleState(Py_TYPE(self));
    if (module == NULL) {
        return NULL;
    }
    cep_random_state state;
    cep_status status = cep_get_random_state(network_of(self), &state);
    if (status != CEP_OK) {
        return set_error(status, module);
    }
    return Py_BuildValue("KKKK", (unsigned long long)state.words[0], (unsigned long long)state.words[1],
                         (unsigned long long)state.words[2], (unsigned long long)state.words[3]);
}

static PyObject *network_set_random_state(PyObject *self, PyObject *args) {
    cep_random_state state;
    module_state *module = PyType_GetModuleState(Py_TYPE(self));
    if (module == NULL ||
        !PyArg_ParseTuple(args, "(O&O&O&O&):set_random_state", convert_uint64, &state.words[0], convert_uint64,
                          &state.words[1], convert_uint64, &state.words[2], convert_uint64, &state.words[3])) {
        return NULL;
    }
    cep_status status = cep_set_random_state(network_of(self), &state);
    if (status != CEP_OK) {
        return set_error(status, module);
    }
    Py_RETURN_NONE;
}

static PyObject *network_check_samples(PyObject *self, PyObject *args) {
    matrix_argument x = {0};
    targets_argument y = {0};
    module_state *state = PyType_GetModuleState(Py_TYPE(self));
    if (state == NULL || !PyArg_ParseTuple(args, "O&O&:check_samples", convert_matrix, &x, convert_targets, &y)) {
        return NULL;
    }
    cep_status status;
    Py_BEGIN_ALLOW_THREADS;
    status = cep_check_samples(network_of(self), &x.matrix, &y.targets);
    Py_END_ALLOW_THREADS;
    release_matrix(&x);
    release_targets(&y);
    if (status != CEP_OK) {
        return set_error(status, state);
    }
    Py_RETURN_NONE;
}

static PyObject *network_evaluate(PyObject *self, PyObject *args) {
    matrix_argument x = {0};
    targets_argument y = {0};
    int64_t steps;
    module_state *state = PyType_GetModuleState(Py_TYPE(self));
    if (state == NULL || !PyArg_ParseTuple(args, "O&O&O&:evaluate", convert_matrix, &x, convert_targets, &y,
                                           convert_int64, &steps)) {
        return NULL;
    }
    cep_metrics metrics;
    work work;
    cep_progress progress = begin_work(&work, Py_None, Py_None, state);
    cep_status status = cep_evaluate(network_of(self), &x.matrix, &y.targets, steps, progress, &metrics);
    int failed = end_work(&work, status);
    release_matrix(&x);
    release_targets(&y);
    return failed ? NULL : metrics_tuple(&metrics);
}

static PyObject *network_predict(PyObject *self, PyObject *args) {
    matrix_argument x = {0};
    int64_t steps;
    Py_buffer classes;
    module_state *state = PyType_GetModuleState(Py_TYPE(self));
    if (state == NULL ||
        !PyArg_ParseTuple(args, "O&O&w*:predict", convert_matrix, &x, convert_int64, &steps, &classes)) {
        return NULL;
    }
    work work;
    cep_progress progress = begin_work(&work, Py_None, Py_None, state);
    cep_status status = cep_predict(network_of(self), &x.matrix, steps, progress, classes.buf,
                                    (int64_t)(classes.len / (Py_ssize_t)sizeof(int64_t)));
    int failed = end_work(&work, status);
    release_matrix(&x);
    PyBuffer_Release(&classes);
    if (failed) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *network_gradient(PyObject *self, PyObject *args) {
    matrix_argument x = {0};
    targets_argument y = {0};
    options_argument rule = {0};
    PyObject *observer;
    module_state *state = PyType_GetModuleState(Py_TYPE(self));
    if (state == NULL || !PyArg_ParseTuple(args, "O&O&O&O:gradient", convert_matrix, &x, convert_targets, &y,
                                           convert_options, &rule, &observer)) {
        return NULL;
    }
    cep_metrics metrics;
    cep_gradient *gradient;
    work work;
    cep_progress progress = begin_work(&work, Py_None, observer, state);
    cep_status status = cep_gradient_estimate(network_of(self), &x.matrix, &y.targets, &rule.options, progress,
                                              &metrics, &gradient);
    int failed = end_work(&work, status);
    release_matrix(&x);
    release_targets(&y);
    release_options(&rule);
    return failed ? NULL : Py_BuildValue("NN", gradient_new(state, gradient), metrics_tuple(&metrics));
}

static PyObject *network_check_theorem(PyObject *self, PyObject *args) {
    matrix_argument x = {0};
    targets_argument y = {0};
    options_argument options = {0};
    module_state *state = PyType_GetModuleState(Py_TYPE(self));
    if (state == NULL || !PyArg_ParseTuple(args, "O&O&O&:check_theorem", convert_matrix, &x, convert_targets, &y,
                                           convert_options, &options)) {
        return NULL;
    }
    cep_theorem *theorem;
    work work;
    cep_progress progress = begin_work(&work, Py_None, Py_None, state);
    cep_status status =
        cep_theorem_check(network_of(self), &x.matrix, &y.targets, &options.options, progress, &theorem);
    int failed = end_work(&work, status);
    release_matrix(&x);
    release_targets(&y);
    release_options(&options);
    return failed ? NULL : theorem_new(state, theorem);
}

static PyObject *network_energy(PyObject *self, PyObject *args) {
    Py_buffer energies;
    module_state *state = PyType_GetModuleState(Py_TYPE(self));
    if (state == NULL || !PyArg_ParseTuple(args, "w*:energy", &energies)) {
        return NULL;
    }
    cep_status status;
    Py_BEGIN_ALLOW_THREADS;
    status = cep_energy(network_of(self), energies.buf, (int64_t)(energies.len / (Py_ssize_t)sizeof(double)));
    Py_END_ALLOW_THREADS;
    PyBuffer_Release(&energies);
    if (status != CEP_OK) {
        return set_error(status, state);
    }
    Py_RETURN_NONE;
}

static PyObject *network_feedback_angle(PyObject *self, PyObject *args) {
    int64_t connection;
    module_state *state = PyType_GetModuleState(Py_TYPE(self));
    if (state == NULL || !PyArg_ParseTuple(args, "O&:feedback_angle", convert_int64, &connection)) {
        return NULL;
    }
    double degrees;
    cep_status status;
    Py_BEGIN_ALLOW_THREADS;
    status = cep_feedback_angle(network_of(self), connection, &degrees);
    Py_END_ALLOW_THREADS;
    return status == CEP_OK ? PyFloat_FromDouble(degrees) : set_error(status, state);
}

static PyObject *network_prepare_optimizer(PyObject *self, PyObject *args) {
    options_argument rule = {0};
    module_state *state = PyType_GetModuleState(Py_TYPE(self));
    if (state == NULL || !PyArg_ParseTuple(args, "O&:prepare_optimizer", convert_options, &rule)) {
        return NULL;
    }
    cep_status status;
    Py_BEGIN_ALLOW_THREADS;
    status = cep_optimizer_prepare(network_of(self), &rule.options);
    Py_END_ALLOW_THREADS;
    release_options(&rule);
    if (status != CEP_OK) {
        return set_error(status, state);
    }
    Py_RETURN_NONE;
}

static PyObject *network_optimizer(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    module_state *state = PyType_GetModuleState(Py_TYPE(self));
    if (state == NULL) {
        return NULL;
    }
    cep_optimizer_summary summary;
    cep_status status = cep_optimizer_summarize(network_of(self), &summary);
    if (status != CEP_OK) {
        return set_error(status, state);
    }
    return Py_BuildValue("sL", summary.name, (long long)summary.steps);
}

static PyObject *network_set_optimizer_steps(PyObject *self, PyObject *args) {
    int64_t steps;
    module_state *state = PyType_GetModuleState(Py_TYPE(self));
    if (state == NULL || !PyArg_ParseTuple(args, "O&:set_optimizer_steps", convert_int64, &steps)) {
        return NULL;
    }
    cep_status status = cep_optimizer_set_steps(network_of(self), steps);
    if (status != CEP_OK) {
        return set_error(status, state);
    }
    Py_RETURN_NONE;
}

static PyObject *network_optimizer_array(PyObject *self, PyObject *args) {
    const char *optimizer_state;
    const char *name;
    int64_t index;
    module_state *state = PyType_GetModuleState(Py_TYPE(self));
    if (state == NULL ||
        !PyArg_ParseTuple(args, "ssO&:optimizer_array", &optimizer_state, &name, convert_int64, &index)) {
        return NULL;
    }
    cep_tensor tensor;
    cep_status status = cep_optimizer_tensor(network_of(self), optimizer_state, name, index, &tensor);
    return status == CEP_OK ? array_new(state, &tensor) : set_error(status, state);
}

typedef cep_status (*lister)(cep_network *, cep_parameter *, int64_t, int64_t *);

/* The names and indices of the tensors that a function lists. */
static PyObject *list_tensors(PyObject *self, lister list_function) {
    module_state *state = PyType_GetModuleState(Py_TYPE(self));
    int64_t count;
    if (state == NULL) {
        return NULL;
    }
    cep_status status = list_function(network_of(self), NULL, 0, &count);
    if (status != CEP_OK) {
        return set_error(status, state);
    }
    cep_parameter *parameters = PyMem_Calloc((size_t)count + 1, sizeof(cep_parameter));
    PyObject *list = parameters == NULL ? PyErr_NoMemory() : PyList_New(0);
    if (list != NULL && list_function(network_of(self), parameters, count, &count) == CEP_OK) {
        for (int64_t i = 0; i < count; i++) {
            PyObject *item = Py_BuildValue("sL", parameters[i].name, (long long)parameters[i].index);
            if (item == NULL || PyList_Append(list, item) != 0) {
                Py_CLEAR(list);
            }
            Py_XDECREF(item);
            if (list == NULL) {
                break;
            }
        }
    }
    PyMem_Free(parameters);
    return list;
}

static PyObject *network_parameters(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    return list_tensors(self, cep_network_parameters);
}

static PyObject *network_devices(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    return list_tensors(self, cep_network_devices);
}

static PyMethodDef network_methods[] = {
    {"array", network_array, METH_VARARGS, "array(name, index): parameters or states, in place."},
    {"parameters", network_parameters, METH_NOARGS, "parameters(): (name, index) of each, in order."},
    {"devices", network_devices, METH_NOARGS, "devices(): (name, index) of each tensor of the devices."},
    {"copy", network_copy, METH_NOARGS, "copy(): a copy with the states and the random state."},
    {"free_phase", network_free_phase, METH_VARARGS, "free_phase(x, steps, continue_from_state, observer)"},
    {"nudged_phase", network_nudged_phase, METH_VARARGS, "nudged_phase(y, beta, steps, observer)"},
    {"train_batch", network_train_batch, METH_VARARGS, "train_batch(x, y, rule, observer)"},
    {"train_epoch", network_train_epoch, METH_VARARGS,
     "train_epoch(x, y, rule, batch_size, shuffle_seed, part, progress)"},
    {"get_random_state", network_get_random_state, METH_NOARGS, "get_random_state(): four integers."},
    {"set_random_state", network_set_random_state, METH_VARARGS, "set_random_state((four integers))"},
    {"gradient", network_gradient, METH_VARARGS, "gradient(x, y, rule, observer): (Gradient, metrics)"},
    {"check_theorem", network_check_theorem, METH_VARARGS, "check_theorem(x, y, options): Theorem"},
    {"energy", network_energy, METH_VARARGS, "energy(energies): writes one float64 per sample."},
    {"feedback_angle", network_feedback_angle, METH_VARARGS, "feedback_angle(connection): degrees."},
    {"prepare_optimizer", network_prepare_optimizer, METH_VARARGS, "prepare_optimizer(rule): creates its state."},
    {"optimizer", network_optimizer, METH_NOARGS, "optimizer(): (name, updates), an empty name without a state."},
    {"set_optimizer_steps", network_set_optimizer_steps, METH_VARARGS, "set_optimizer_steps(updates)"},
    {"optimizer_array", network_optimizer_array, METH_VARARGS,
     "optimizer_array(state, name, index): a tensor of the optimizer's state, in place."},
    {"check_samples", network_check_samples, METH_VARARGS, "check_samples(x, y): raises an exception if invalid."},
    {"evaluate", network_evaluate, METH_VARARGS, "evaluate(x, y, steps)"},
    {"predict", network_predict, METH_VARARGS, "predict(x, steps, classes): writes int64 classes."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot network_slots[] = {
    {Py_tp_doc, "One network of the engine. See cep.Network."},
    {Py_tp_new, network_create},
    {Py_tp_dealloc, network_dealloc},
    {Py_tp_methods, network_methods},
    {0, NULL},
};

PyType_Spec network_spec = {
    .name = "cep._cep.Network",
    .basicsize = sizeof(Network),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = network_slots,
};
