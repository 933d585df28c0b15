/* _cep.Step: a step of a phase, passed to a function that observes every step. */
#include "extension.h"

typedef struct {
    PyObject_HEAD const cep_step *step; /* NULL once the function has returned */
} Step;

int call_with_step(PyObject *function, const cep_step *step, module_state *state) {
    Step *self = PyObject_New(Step, state->step_type);
    if (self == NULL) {
        return -1;
    }
    self->step = step;
    PyObject *result = PyObject_CallFunctionObjArgs(function, (PyObject *)self, NULL);
    self->step = NULL;
    Py_DECREF(self);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

static void step_dealloc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    PyObject_Free(object);
    Py_DECREF(type);
}

static int is_over(PyObject *self) {
    if (((Step *)self)->step != NULL) {
        return 0;
    }
    PyErr_SetString(PyExc_RuntimeError, "a step can be read only until the next one");
    return 1;
}

static PyObject *step_summary(PyObject *self, PyObject *Py_UNUSED(ignored)) {
    module_state *state = PyType_GetModuleState(Py_TYPE(self));
    if (state == NULL || is_over(self)) {
        return NULL;
    }
    cep_step_summary summary;
    cep_status status = cep_step_summarize(((Step *)self)->step, &summary);
    if (status != CEP_OK) {
        return set_error(status, state);
    }
    return Py_BuildValue("LddO", (long long)summary.step, summary.beta, summary.residual,
                         summary.weights_move ? Py_True : Py_False);
}

static PyObject *step_array(PyObject *self, PyObject *args) {
    const char *name;
    int64_t index;
    module_state *state = PyType_GetModuleState(Py_TYPE(self));
    if (state == NULL || is_over(self) || !PyArg_ParseTuple(args, "sO&:array", &name, convert_int64, &index)) {
        return NULL;
    }
    const cep_step *step = ((Step *)self)->step;
    cep_tensor tensor;
    cep_status status;
    /* It may compute weights that move now. */
    Py_BEGIN_ALLOW_THREADS;
    status = cep_step_tensor(step, name, index, &tensor);
    Py_END_ALLOW_THREADS;
    return status == CEP_OK ? array_new(state, &tensor) : set_error(status, state);
}

static PyMethodDef step_methods[] = {
    {"summary", step_summary, METH_NOARGS, "summary(): (step, beta, residual, whether weights move)."},
    {"array", step_array, METH_VARARGS, "array(name, index): parameters or states at this step."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot step_slots[] = {
    {Py_tp_doc, "A step of a phase."},
    {Py_tp_dealloc, step_dealloc},
    {Py_tp_methods, step_methods},
    {0, NULL},
};

PyType_Spec step_spec = {
    .name = "cep._cep.Step",
    .basicsize = sizeof(Step),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = step_slots,
};
