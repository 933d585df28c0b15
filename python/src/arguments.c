/* From Python objects to what cep.h takes. Values are checked by the engine; here only what C itself needs: that a
 * number fits, that a buffer has a known format and is contiguous. */
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

/* Bytes, where a buffer does not say. */
static const char *format_of(const Py_buffer *buffer) { return buffer->format == NULL ? "B" : buffer->format; }

/* The character of a struct-module format of one native value; 0 for any other. */
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

/* A sequence of floats as an array of PyMem. */
static double *doubles_of_sequence(PyObject *sequence, int64_t *count) {
    Py_ssize_t size = PySequence_Size(sequence);
    if (size < 0) {
        return NULL;
    }
    double *values = PyMem_Calloc(size > 0 ? (size_t)size : 1, sizeof(double));
    if (values == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    for (Py_ssize_t i = 0; i < size; i++) {
        PyObject *item = PySequence_GetItem(sequence, i);
        if (item != NULL) {
            values[i] = PyFloat_AsDouble(item);
            Py_DECREF(item);
        }
        if (PyErr_Occurred() != NULL) {
            PyMem_Free(values);
            return NULL;
        }
    }
    *count = size;
    return values;
}

static void release_rates(learning_rates *rates) {
    PyMem_Free(rates->weights);
    PyMem_Free(rates->biases);
    rates->weights = NULL;
    rates->biases = NULL;
}

static int learning_rates_of(learning_rates *rates, PyObject *weights, PyObject *biases, int64_t *weight_count,
                             int64_t *bias_count) {
    rates->weights = doubles_of_sequence(weights, weight_count);
    rates->biases = rates->weights == NULL ? NULL : doubles_of_sequence(biases, bias_count);
    if (rates->biases == NULL) {
        release_rates(rates);
        return 0;
    }
    return 1;
}

/* The value of an option: a word, a number or a sequence of numbers. */
static int option_of(PyObject *value, cep_option *option) {
    if (PyUnicode_Check(value)) {
        option->text = PyUnicode_AsUTF8AndSize(value, NULL);
        return option->text != NULL;
    }
    if (PySequence_Check(value)) {
        option->numbers = doubles_of_sequence(value, &option->count);
        return option->numbers != NULL;
    }
    double number = PyFloat_AsDouble(value);
    double *numbers = PyErr_Occurred() != NULL ? NULL : PyMem_Calloc(1, sizeof(double));
    if (numbers == NULL) {
        return PyErr_Occurred() != NULL ? 0 : (PyErr_NoMemory(), 0);
    }
    numbers[0] = number;
    option->numbers = numbers;
    option->count = 1;
    return 1;
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
    self->options = PyMem_Calloc((size_t)PyDict_Size(object) + 1, sizeof(cep_option));
    if (self->options == NULL) {
        PyErr_NoMemory();
        return 0;
    }
    Py_ssize_t place = 0;
    PyObject *key;
    PyObject *value;
    while (PyDict_Next(object, &place, &key, &value)) {
        cep_option *option = &self->options[self->count];
        option->name = PyUnicode_AsUTF8AndSize(key, NULL);
        self->count += 1;
        if (option->name == NULL || !option_of(value, option)) {
            release_options(self);
            return 0;
        }
    }
    return Py_CLEANUP_SUPPORTED;
}

void release_options(options_argument *argument) {
    for (int64_t i = 0; i < argument->count; i++) {
        PyMem_Free((void *)argument->options[i].numbers);
    }
    PyMem_Free(argument->options);
    argument->options = NULL;
    argument->count = 0;
}

/* Parsing what is no tuple is taken for a fault of ours. */
static int is_tuple(PyObject *object, const char *name) {
    if (PyTuple_Check(object)) {
        return 1;
    }
    PyErr_Format(PyExc_TypeError, "expected a tuple for the %s, got %R", name, object);
    return 0;
}

int convert_rule(PyObject *object, void *argument) {
    rule_argument *self = argument;
    if (object == NULL) {
        release_rule(self);
        return 1;
    }
    memset(self, 0, sizeof *self);
    cep_rule *rule = &self->rule;
    PyObject *rates;
    PyObject *bias_rates;
    PyObject *more;
    if (!is_tuple(object, "rule") ||
        !PyArg_ParseTuple(object, "iO&O&dippO&dO&OOO:rule", &rule->kind, convert_int64, &rule->free_steps,
                          convert_int64, &rule->nudged_steps, &rule->beta, &rule->beta_sign, &rule->accumulate,
                          &rule->write_every_step, convert_int64, &rule->last_steps, &rule->tolerance,
                          convert_int64, &rule->max_iterations, &rates, &bias_rates, &more)) {
        return 0;
    }
    if (!learning_rates_of(&self->rates, rates, bias_rates, &rule->learning_rate_count,
                           &rule->bias_learning_rate_count)) {
        return 0;
    }
    rule->learning_rates = self->rates.weights;
    rule->bias_learning_rates = self->rates.biases;
    if (!convert_options(more, &self->more)) {
        release_rule(self);
        return 0;
    }
    rule->more = self->more.options;
    rule->more_count = self->more.count;
    return Py_CLEANUP_SUPPORTED;
}

int convert_conditions(PyObject *object, void *argument) {
    conditions_argument *self = argument;
    if (object == NULL) {
        release_conditions(self);
        return 1;
    }
    memset(self, 0, sizeof *self);
    cep_theorem_conditions *conditions = &self->conditions;
    PyObject *rates;
    PyObject *bias_rates;
    if (!is_tuple(object, "conditions") ||
        !PyArg_ParseTuple(object, "O&O&dOOp:conditions", convert_int64, &conditions->free_steps, convert_int64,
                          &conditions->nudged_steps, &conditions->beta, &rates, &bias_rates,
                          &conditions->as_recorded)) {
        return 0;
    }
    if (!learning_rates_of(&self->rates, rates, bias_rates, &conditions->learning_rate_count,
                           &conditions->bias_learning_rate_count)) {
        return 0;
    }
    conditions->learning_rates = self->rates.weights;
    conditions->bias_learning_rates = self->rates.biases;
    return Py_CLEANUP_SUPPORTED;
}

void release_matrix(matrix_argument *argument) { PyBuffer_Release(&argument->buffer); }

void release_targets(targets_argument *argument) { PyBuffer_Release(&argument->buffer); }

void release_rule(rule_argument *argument) {
    release_rates(&argument->rates);
    release_options(&argument->more);
}

void release_conditions(conditions_argument *argument) { release_rates(&argument->rates); }
