/* _cep.Gradient: a rule's estimate of the gradient, with the shapes of the parameters. */
#include "extension.h"

typedef struct {
    PyObject_HEAD cep_gradient *gradient;
} Gradient;

PyObject *gradient_new(module_state *state, cep_gradient *gradient) {
    Gradient *self = PyObject_New(Gradient, state->gradient_type);
    if (self == NULL) {
        cep_gradient_destroy(gradient);
        return NULL;
    }
    self->gradient = gradient;
    return (PyObject *)self;
}

static void gradient_dealloc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    cep_gradient *gradient = ((Gradient *)object)->gradient;
    Py_BEGIN_ALLOW_THREADS;
    cep_gradient_destroy(gradient);
    Py_END_ALLOW_THREADS;
    PyObject_Free(object);
    Py_DECREF(type);
}

static PyObject *gradient_array(PyObject *self, PyObject *args) {
    const char *name;
    int64_t index;
    module_state *state = PyType_GetModuleState(Py_TYPE(self));
    if (state == NULL || !PyArg_ParseTuple(args, "sO&:array", &name, convert_int64, &index)) {
        return NULL;
    }
    cep_tensor tensor;
    cep_status status = cep_gradient_tensor(((Gradient *)self)->gradient, name, index, &tensor);
    return status == CEP_OK ? array_new(state, &tensor) : set_error(status, state);
}

static PyMethodDef gradient_methods[] = {
    {"array", gradient_array, METH_VARARGS, "array(name, index): the gradient of a connection's parameters."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot gradient_slots[] = {
    {Py_tp_doc, "A rule's estimate of the gradient."},
    {Py_tp_dealloc, gradient_dealloc},
    {Py_tp_methods, gradient_methods},
    {0, NULL},
};

PyType_Spec gradient_spec = {
    .name = "cep._cep.Gradient",
    .basicsize = sizeof(Gradient),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = gradient_slots,
};
