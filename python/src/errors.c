/* Maps the engine's statuses to Python exceptions. Nothing else does. */
#include "extension.h"

PyObject *set_error(cep_status status, module_state *state) {
    const char *message = cep_last_error();
    switch (status) {
    case CEP_INVALID_ARGUMENT:
        PyErr_SetString(PyExc_ValueError, message);
        break;
    case CEP_OUT_OF_MEMORY:
        PyErr_SetString(PyExc_MemoryError, message);
        break;
    case CEP_DIVERGED:
        PyErr_SetString(state->divergence_error, message);
        break;
    case CEP_STOPPED:
        /* The progress function stopped the work because of an exception, which is set already. */
        if (PyErr_Occurred() != NULL) {
            break;
        }
        /* fall through */
    default:
        PyErr_SetString(PyExc_RuntimeError, message);
    }
    return NULL;
}
