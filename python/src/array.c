/* _cep.Array: memory of the engine, through the buffer protocol. It keeps the memory alive, whatever becomes of
 * the network. */
#include "extension.h"

typedef struct {
    PyObject_HEAD cep_array *array;
    cep_array_layout layout;
    Py_ssize_t shape[2];
    Py_ssize_t strides[2];
} Array;

/* Whoever asks for the buffer later has no need of the engine, nor of memory: NumPy would take an error there for
 * an object that has no buffer. */
PyObject *array_new(module_state *state, cep_array *array) {
    Array *self = PyObject_New(Array, state->array_type);
    if (self == NULL) {
        cep_array_release(array);
        return NULL;
    }
    self->array = array;
    cep_status status = cep_array_describe(array, &self->layout);
    if (status != CEP_OK) {
        Py_DECREF(self);
        return set_error(status, state);
    }
    Py_ssize_t stride = self->layout.dtype == CEP_FLOAT32 ? 4 : 8;
    for (int i = self->layout.dimensions - 1; i >= 0; i--) {
        self->shape[i] = (Py_ssize_t)self->layout.shape[i];
        self->strides[i] = stride;
        stride *= self->shape[i];
    }
    return (PyObject *)self;
}

static void array_dealloc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    cep_array *array = ((Array *)object)->array;
    Py_BEGIN_ALLOW_THREADS;
    cep_array_release(array);
    Py_END_ALLOW_THREADS;
    PyObject_Free(object);
    Py_DECREF(type);
}

static int array_getbuffer(PyObject *object, Py_buffer *view, int flags) {
    Array *self = (Array *)object;
    const cep_array_layout *layout = &self->layout;
    view->obj = NULL;
    if ((flags & PyBUF_F_CONTIGUOUS) == PyBUF_F_CONTIGUOUS && layout->dimensions == 2) {
        PyErr_SetString(PyExc_BufferError, "the array is row-major (C-contiguous); column-major was asked for");
        return -1;
    }
    view->buf = layout->data;
    view->obj = Py_NewRef(object);
    view->itemsize = layout->dtype == CEP_FLOAT32 ? 4 : 8;
    view->len = self->shape[0] * self->strides[0];
    view->readonly = 0;
    view->ndim = (flags & PyBUF_ND) ? layout->dimensions : 1;
    view->format = (flags & PyBUF_FORMAT) ? (layout->dtype == CEP_FLOAT32 ? "f" : "d") : NULL;
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
