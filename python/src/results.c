/* Results of the engine as tuples. */
#include "extension.h"

PyObject *outcome_tuple(const cep_phase_outcome *outcome) {
    PyObject *converged = outcome->converged ? Py_True : Py_False;
    return Py_BuildValue("LdO", (long long)outcome->steps, outcome->residual, converged);
}

PyObject *metrics_tuple(const cep_metrics *metrics) {
    return Py_BuildValue("LLd", (long long)metrics->samples, (long long)metrics->errors, metrics->loss_sum);
}
