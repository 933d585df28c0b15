/* _cep.Theorem: the curves of a theorem check. */
#include "extension.h"

typedef struct {
    PyObject_HEAD cep_theorem *theorem;
} Theorem;

PyObject *theorem_new(module_state *state, cep_theorem *theorem) {
    Theorem *self = PyObject_New(Theorem, state->theorem_type);
    if (self == NULL) {
        cep_theorem_destroy(theorem);
        return NULL;
    }
    self->theorem = theorem;
    return (PyObject *)self;
}

static void theorem_dealloc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    cep_theorem *theorem = ((Theorem *)object)->theorem;
    Py_BEGIN_ALLOW_THREADS;
    cep_theorem_destroy(theorem);
    Py_END_ALLOW_THREADS;
    PyObject_Free(object);
    Py_DECREF(type);
}

static PyObject *theorem_summary(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    module_state *state = PyType_GetModuleState(Py_TYPE(self));
    if (state == NULL) {
        return NULL;
    }
    cep_theorem_summary summary;
    cep_status status;
    Py_BEGIN_ALLOW_THREADS;
    status = cep_theorem_summarize(((Theorem *)self)->theorem, &summary);
    Py_END_ALLOW_THREADS;
    if (status != CEP_OK) {
        return set_error(status, state);
    }
    return Py_BuildValue("dN", summary.angle, outcome_tuple(&summary.free_phase));
}

static PyObject *theorem_compare(PyObject *self, PyObject *args) {
    const char *name;
    int64_t index;
    module_state *state = PyType_GetModuleState(Py_TYPE(self));
    if (state == NULL || !PyArg_ParseTuple(args, "sO&:compare", &name, convert_int64, &index)) {
        return NULL;
    }
    cep_theorem_curves curves;
    cep_status status;
    Py_BEGIN_ALLOW_THREADS;
    status = cep_theorem_compare(((Theorem *)self)->theorem, name, index, &curves);
    Py_END_ALLOW_THREADS;
    if (status != CEP_OK) {
        return set_error(status, state);
    }
    PyObject *updates = array_new(state, &curves.updates);
    PyObject *gradients = array_new(state, &curves.gradients);
    return Py_BuildValue("NNdd", updates, gradients, curves.relative_error, curves.sign_agreement);
}

static PyMethodDef theorem_methods[] = {
    {"summary", theorem_summary, METH_NOARGS,
     "summary(): (angle, (steps, residual, converged) of the free phase)."},
    {"compare", theorem_compare, METH_VARARGS,
     "compare(name, index): (updates, gradients, relative error, sign agreement)."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot theorem_slots[] = {
    {Py_tp_doc, "The curves of a theorem check."},
    {Py_tp_dealloc, theorem_dealloc},
    {Py_tp_methods, theorem_methods},
    {0, NULL},
};

PyType_Spec theorem_spec = {
    .name = "cep._cep.Theorem",
    .basicsize = sizeof(Theorem),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = theorem_slots,
};
