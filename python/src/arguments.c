/* Converts Python objects to arguments of cep.h. The engine checks values. Here only the requirements of C are checked:
 * a number fits, a buffer has a known format and is contiguous. */
#include <string.h>

#include "extension.h"

int convert_int64(PyObject *object, void *int64) {
    int overflow;
    long long value = PyLong_AsLongLongAndOverflow(object, &overflow);
    if (value == -1 && PyErr_Occurred() != NULL) {
        return 0;
    }
    if (overflow) {
        PyErr_Format(PyExc_ValueError, "%R does not fit into 64 bits", object);
        return 0;
    }
    *(int64_t *)int64 = value;
    return 1;
}

int convert_uint64(PyObject *object, void *uint64) {
    unsigned long long value = PyLong_AsUnsignedLongLong(object);
    if (value == (unsigned long long)-1 && PyErr_Occurred() != NULL) {
        return 0;
    }
    *(uint64_t *)uint64 = value;
    return 1;
}

/* The format of a buffer. Without one it consists of bytes. */
static const char *format_of(const Py_buffer *buffer) { return buffer->format == NULL ? "B" : buffer->format; }

/* The format character of the struct module if the buffer holds single native values; otherwise 0. */
static char single_format(const Py_buffer *buffer) {
    const char *format = format_of(buffer);
    if (*format == '@' || *format == '=') {
        format++;
    }
    return strlen(format) == 1 ? *format : 0;
}

static int matrix_of_buffer(const Py_buffer *buffer, cep_matrix *matrix) {
    char format = single_format(buffer);
    if (buffer->ndim != 2 || (format != 'f' && format != 'd')) {
        PyErr_Format(PyExc_TypeError,
                     "expected a 2-dimensional float32 or float64 array, got %d dimensions of '%s'", buffer->ndim,
                     format_of(buffer));
        return 0;
    }
    matrix->data = buffer->buf;
    matrix->dtype = format == 'f' ? CEP_FLOAT32 : CEP_FLOAT64;
    matrix->rows = buffer->shape[0];
    matrix->columns = buffer->shape[1];
    return 1;
}

int convert_matrix(PyObject *object, void *argument) {
    matrix_argument *self = argument;
    if (object == NULL) {
        release_matrix(self);
        return 1;
    }
    if (PyObject_GetBuffer(object, &self->buffer, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) != 0) {
        return 0;
    }
    if (!matrix_of_buffer(&self->buffer, &self->matrix)) {
        release_matrix(self);
        return 0;
    }
    return Py_CLEANUP_SUPPORTED;
}

int convert_targets(PyObject *object, void *argument) {
    targets_argument *self = argument;
    if (object == NULL) {
        release_targets(self);
        return 1;
    }
    if (PyObject_GetBuffer(object, &self->buffer, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) != 0) {
        return 0;
    }
    memset(&self->targets, 0, sizeof self->targets);
    if (self->buffer.ndim == 1) {
        char format = single_format(&self->buffer);
        if ((format != 'q' && format != 'l') || self->buffer.itemsize != 8) {
            PyErr_Format(PyExc_TypeError, "expected int64 labels, got '%s'", format_of(&self->buffer));
            release_targets(self);
            return 0;
        }
        self->targets.labels = self->buffer.buf;
        self->targets.label_count = self->buffer.shape[0];
    } else if (!matrix_of_buffer(&self->buffer, &self->targets.values)) {
        release_targets(self);
        return 0;
    }
    return Py_CLEANUP_SUPPORTED;
}

/* An integer as 64 bits, all of which a seed may need. */
static int integer_of(PyObject *object, int64_t *value) {
    int overflow;
    long long integer = PyLong_AsLongLongAndOverflow(object, &overflow);
    if (overflow > 0) {
        uint64_t bits = 0;
        int fits = convert_uint64(object, &bits);
        *value = (int64_t)bits;
        return fits;
    }
    if (overflow < 0) {
        PyErr_Format(PyExc_ValueError, "%R does not fit into 64 bits", object);
    }
    *value = integer;
    return PyErr_Occurred() == NULL;
}

/* A tuple of numbers as the value of an option: integers if all of them are. */
static int values_of(PyObject *tuple, cep_option *option) {
    Py_ssize_t count = PyTuple_Size(tuple);
    int whole = count > 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        whole = whole && PyLong_Check(PyTuple_GetItem(tuple, i));
    }
    int64_t *integers = PyMem_Calloc(count > 0 ? (size_t)count : 1, sizeof(int64_t));
    double *numbers = (double *)integers; /* of the same size */
    if (integers == NULL) {
        PyErr_NoMemory();
        return 0;
    }
    option->integers = whole ? integers : NULL;
    option->numbers = whole ? NULL : numbers;
    option->count = count;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PyTuple_GetItem(tuple, i);
        if (whole) {
            if (!integer_of(item, &integers[i])) {
                return 0;
            }
        } else {
            numbers[i] = PyFloat_AsDouble(item);
            if (PyErr_Occurred() != NULL) {
                return 0;
            }
        }
    }
    return 1;
}

/* The value of an option: a word, a number, or a tuple of numbers. */
static int option_of(PyObject *value, cep_option *option) {
    if (PyUnicode_Check(value)) {
        option->text = PyUnicode_AsUTF8AndSize(value, NULL);
        return option->text != NULL;
    }
    PyObject *tuple = PyTuple_Check(value) ? Py_NewRef(value) : PyTuple_Pack(1, value);
    int done = tuple != NULL && values_of(tuple, option);
    Py_XDECREF(tuple);
    return done;
}

int convert_options(PyObject *object, void *argument) {
    options_argument *self = argument;
    if (object == NULL) {
        release_options(self);
        return 1;
    }
    memset(self, 0, sizeof *self);
    if (!PyDict_Check(object)) {
        PyErr_Format(PyExc_TypeError, "expected a dictionary of options, got %R", object);
        return 0;
    }
    self->dictionary = PyDict_Copy(object);
    if (self->dictionary == NULL) {
        return 0;
    }
    cep_option *items = PyMem_Calloc((size_t)PyDict_Size(self->dictionary) + 1, sizeof(cep_option));
    if (items == NULL) {
        release_options(self);
        PyErr_NoMemory();
        return 0;
    }
    self->options.items = items;
    Py_ssize_t place = 0;
    PyObject *key;
    PyObject *value;
    while (PyDict_Next(self->dictionary, &place, &key, &value)) {
        cep_option *option = &items[self->options.count];
        self->options.count += 1;
        option->name = PyUnicode_AsUTF8AndSize(key, NULL);
        if (option->name == NULL || !option_of(value, option)) {
            release_options(self);
            return 0;
        }
    }
    return Py_CLEANUP_SUPPORTED;
}

void release_options(options_argument *argument) {
    for (int64_t i = 0; i < argument->options.count; i++) {
        const cep_option *option = &argument->options.items[i];
        PyMem_Free(option->integers != NULL ? (void *)option->integers : (void *)option->numbers);
    }
    PyMem_Free((void *)argument->options.items);
    Py_CLEAR(argument->dictionary);
    memset(argument, 0, sizeof *argument);
}

void release_matrix(matrix_argument *argument) { PyBuffer_Release(&argument->buffer); }

void release_targets(targets_argument *argument) { PyBuffer_Release(&argument->buffer); }
