/* Long calls of the engine: the GIL, signals, progress. */
#include "extension.h"

static int32_t report_progress(const cep_progress_report *report, void *context) {
    work *self = context;
    PyEval_RestoreThread(self->thread);
    int failed = PyErr_CheckSignals() != 0;
    if (!failed && self->callback != NULL) {
        PyObject *result =
            PyObject_CallFunction(self->callback, "LLLd", (long long)report->done, (long long)report->total,
                                  (long long)report->errors, report->loss_sum);
        failed = result == NULL;
        Py_XDECREF(result);
    }
    self->thread = PyEval_SaveThread();
    return failed;
}

static int32_t report_step(const cep_step *step, void *context) {
    work *self = context;
    PyEval_RestoreThread(self->thread);
    int failed = call_with_step(self->observer, step, self->state) != 0;
    self->thread = PyEval_SaveThread();
    return failed;
}

cep_progress begin_work(work *self, PyObject *callback, PyObject *observer, module_state *state) {
    self->callback = callback == Py_None ? NULL : callback;
    self->observer = observer == Py_None ? NULL : observer;
    self->state = state;
    self->thread = PyEval_SaveThread();
    return (cep_progress){
        .function = report_progress, .step = self->observer == NULL ? NULL : report_step, .context = self};
}

int end_work(work *self, cep_status status) {
    PyEval_RestoreThread(self->thread);
    if (status != CEP_OK) {
        set_error(status, self->state);
        return -1;
    }
    return 0;
}
