/* _cep.Array: a tensor of the engine, through the buffer protocol. It keeps the memory alive, also when the network is
 * gone. */
#include "extension.h"

typedef struct {
    PyObject_HEAD cep_tensor tensor;
    Py_ssize_t shape[CEP_MAX_RANK];
    Py_ssize_t strides[CEP_MAX_RANK];
} Array;

PyObject *array_new(module_state *state, const cep_tensor *tensor) {
    Array *self = PyObject_New(Array, state->array_type);
    if (self == NULL) {
        cep_tensor copy = *tensor;
        cep_tensor_release(&copy);
        return NULL;
    }
    self->tensor = *tensor;
    for (int i = 0; i < tensor->rank; i++) {
        self->shape[i] = (Py_ssize_t)tensor->shape[i];
        self->strides[i] = (Py_ssize_t)tensor->strides[i];
    }
    return (PyObject *)self;
}

static void array_dealloc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    cep_tensor *tensor = &((Array *)object)->tensor;
    Py_BEGIN_ALLOW_THREADS;
    cep_tensor_release(tensor);
    Py_END_ALLOW_THREADS;
    PyObject_Free(object);
    Py_DECREF(type);
}

/* Every tensor is contiguous and row-major. Consumers that do not support strides rely on it. */
static int array_getbuffer(PyObject *object, Py_buffer *view, int flags) {
    Array *self = (Array *)object;
    const cep_tensor *tensor = &self->tensor;
    view->obj = NULL;
    if ((flags & PyBUF_F_CONTIGUOUS) == PyBUF_F_CONTIGUOUS && tensor->rank > 1) {
        PyErr_SetString(PyExc_BufferError,
                        "the array is row-major (C-contiguous), but column-major was requested");
        return -1;
    }
    view->buf = tensor->data;
    view->obj = Py_NewRef(object);
    view->itemsize = tensor->dtype == CEP_FLOAT32 ? 4 : 8;
    view->len = self->shape[0] * self->strides[0];
    view->readonly = 0;
    view->ndim = (flags & PyBUF_ND) ? tensor->rank : 1;
    view->format = (flags & PyBUF_FORMAT) ? (tensor->dtype == CEP_FLOAT32 ? "f" : "d") : NULL;
    view->shape = (flags & PyBUF_ND) ? self->shape : NULL;
    view->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? self->strides : NULL;
    view->suboffsets = NULL;
    view->internal = NULL;
    return 0;
}

static PyType_Slot array_slots[] = {
    {Py_tp_doc, "Memory of the engine, through the buffer protocol: numpy.asarray(array) is a view of it."},
    {Py_tp_dealloc, array_dealloc},
    {Py_bf_getbuffer, array_getbuffer},
    {0, NULL},
};

PyType_Spec array_spec = {
    .name = "cep._cep.Array",
    .basicsize = sizeof(Array),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = array_slots,
};
