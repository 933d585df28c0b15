/* _cep.Array: memory of the engine, through the buffer protocol. It keeps the memory alive, whatever becomes of
 * the network. */
#include "extension.h"

typedef struct {
    PyObject_HEAD cep_array *array;
    Py_ssize_t shape[2];
    Py_ssize_t strides[2];
} Array;

PyObject *array_new(module_state *state, cep_array *array) {
    Array *self = PyObject_New(Array, state->array_type);
    if (self == NULL) {
        cep_array_release(array);
        return NULL;
    }
    self->array = array;
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
    cep_array_layout layout;
    view->obj = NULL;
    if (cep_array_describe(self->array, &layout) != CEP_OK) {
        PyErr_SetString(PyExc_BufferError, cep_last_error());
        return -1;
    }
    if ((flags & PyBUF_F_CONTIGUOUS) == PyBUF_F_CONTIGUOUS && layout.dimensions == 2) {
        PyErr_SetString(PyExc_BufferError, "the array is row-major (C-contiguous); column-major was asked for");
        return -1;
    }
    Py_ssize_t itemsize = layout.dtype == CEP_FLOAT32 ? 4 : 8;
    Py_ssize_t count = 1;
    for (int i = layout.dimensions - 1; i >= 0; i--) {
        self->shape[i] = (Py_ssize_t)layout.shape[i];
        self->strides[i] = itemsize * count;
        count *= self->shape[i];
    }
    view->buf = layout.data;
    view->obj = Py_NewRef(object);
    view->len = count * itemsize;
    view->itemsize = itemsize;
    view->readonly = 0;
    view->ndim = (flags & PyBUF_ND) ? layout.dimensions : 1;
    view->format = (flags & PyBUF_FORMAT) ? (layout.dtype == CEP_FLOAT32 ? "f" : "d") : NULL;
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
