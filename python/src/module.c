/* cep._cep: the extension module. */
#include "extension.h"

static PyObject *module_instruction_set(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored)) {
    return PyUnicode_FromString(cep_instruction_set());
}

static PyObject *module_get_num_threads(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored)) {
    return PyLong_FromLongLong(cep_get_num_threads());
}

static PyObject *module_set_num_threads(PyObject *module, PyObject *args) {
    int64_t count;
    if (!PyArg_ParseTuple(args, "O&:set_num_threads", convert_int64, &count)) {
        return NULL;
    }
    cep_status status = cep_set_num_threads(count);
    if (status != CEP_OK) {
        return set_error(status, PyModule_GetState(module));
    }
    Py_RETURN_NONE;
}

static PyObject *module_option_words(PyObject *Py_UNUSED(module), PyObject *args) {
    const char *name;
    if (!PyArg_ParseTuple(args, "s:option_words", &name)) {
        return NULL;
    }
    const char *words = cep_option_words(name);
    if (words == NULL) {
        return PyErr_Format(PyExc_ValueError, "the option %s does not exist or does not take words", name);
    }
    return PyUnicode_FromString(words);
}

static PyObject *module_pulse_response(PyObject *module, PyObject *args) {
    const char *synapse;
    Py_buffer directions;
    double weight;
    uint64_t seed;
    Py_buffer weights;
    if (!PyArg_ParseTuple(args, "sy*dO&w*:pulse_response", &synapse, &directions, &weight, convert_uint64, &seed,
                          &weights)) {
        return NULL;
    }
    int64_t count = (int64_t)(directions.len / (Py_ssize_t)sizeof(int64_t));
    cep_status status = CEP_INVALID_ARGUMENT;
    int fits = (int64_t)(weights.len / (Py_ssize_t)sizeof(double)) == count;
    if (fits) {
        Py_BEGIN_ALLOW_THREADS;
        status = cep_pulse_response(synapse, directions.buf, count, weight, seed, weights.buf);
        Py_END_ALLOW_THREADS;
    } else {
        PyErr_SetString(PyExc_ValueError, "weights must have as many values as directions");
    }
    PyBuffer_Release(&directions);
    PyBuffer_Release(&weights);
    if (!fits) {
        return NULL;
    }
    if (status != CEP_OK) {
        return set_error(status, PyModule_GetState(module));
    }
    Py_RETURN_NONE;
}

static PyMethodDef module_methods[] = {
    {"option_words", module_option_words, METH_VARARGS,
     "option_words(name): the words it takes, separated by commas."},
    {"instruction_set", module_instruction_set, METH_NOARGS, "instruction_set(): the name of the set in use."},
    {"get_num_threads", module_get_num_threads, METH_NOARGS, "get_num_threads(): the threads for one network."},
    {"pulse_response", module_pulse_response, METH_VARARGS,
     "pulse_response(synapse, directions, weight, seed, weights): writes the weight after each pulse."},
    {"set_num_threads", module_set_num_threads, METH_VARARGS, "set_num_threads(count)"},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject *add_type(PyObject *module, PyType_Spec *spec) {
    PyObject *type = PyType_FromModuleAndSpec(module, spec, NULL);
    if (type != NULL && PyModule_AddType(module, (PyTypeObject *)type) != 0) {
        Py_CLEAR(type);
    }
    return (PyTypeObject *)type;
}

static int module_exec(PyObject *module) {
    module_state *state = PyModule_GetState(module);
    if (state == NULL || PyModule_AddStringConstant(module, "__version__", cep_version()) != 0) {
        return -1;
    }
    state->array_type = add_type(module, &array_spec);
    state->network_type = add_type(module, &network_spec);
    state->gradient_type = add_type(module, &gradient_spec);
    state->theorem_type = add_type(module, &theorem_spec);
    state->step_type = add_type(module, &step_spec);
    state->divergence_error = PyErr_NewExceptionWithDoc(
        "cep.DivergenceError", "A state became infinite or not a number: which layer, at which step.",
        PyExc_ArithmeticError, NULL);
    if (state->array_type == NULL || state->network_type == NULL || state->gradient_type == NULL ||
        state->theorem_type == NULL || state->step_type == NULL || state->divergence_error == NULL) {
        return -1;
    }
    return PyModule_AddObjectRef(module, "DivergenceError", state->divergence_error);
}

static int module_traverse(PyObject *module, visitproc visit, void *arg) {
    module_state *state = PyModule_GetState(module);
    if (state != NULL) {
        Py_VISIT(state->array_type);
        Py_VISIT(state->network_type);
        Py_VISIT(state->gradient_type);
        Py_VISIT(state->theorem_type);
        Py_VISIT(state->step_type);
        Py_VISIT(state->divergence_error);
    }
    return 0;
}

static int module_clear(PyObject *module) {
    module_state *state = PyModule_GetState(module);
    if (state != NULL) {
        Py_CLEAR(state->array_type);
        Py_CLEAR(state->network_type);
        Py_CLEAR(state->gradient_type);
        Py_CLEAR(state->theorem_type);
        Py_CLEAR(state->step_type);
        Py_CLEAR(state->divergence_error);
    }
    return 0;
}

static void module_free(void *module) { module_clear(module); }

/* Space for the slots that only later versions of Python have. */
static PyModuleDef_Slot module_slots[4] = {{Py_mod_exec, module_exec}};

struct PyModuleDef cep_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "cep._cep",
    .m_doc = "The engine of cep. Use the package cep, which is built on it.",
    .m_size = sizeof(module_state),
    .m_methods = module_methods,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit__cep(void) {
    /* Python 3.12 has Py_mod_multiple_interpreters (3) and Py_MOD_PER_INTERPRETER_GIL_SUPPORTED (2), which the
     * limited API of 3.11 does not define. The engine has no state that interpreters would share. */
    if (Py_Version >= 0x030C0000) {
        module_slots[1] = (PyModuleDef_Slot){3, (void *)2};
    }
    return PyModuleDef_Init(&cep_module);
}
