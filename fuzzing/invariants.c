#include "invariants.h"

cep_status checked(cep_status status) {
    if (status < CEP_OK || status > CEP_BUSY)
        fail_invariant("a status is one of cep.h");
    if (status != CEP_OK && cep_last_error()[0] == 0)
        fail_invariant("a call that fails leaves a message");
    return status;
}

void expect_unwritten(cep_status status, const void *result, size_t size) {
    for (size_t i = 0; status != CEP_OK && i < size; i++) {
        if (((const uint8_t *)result)[i] != unwritten)
            fail_invariant("a call that fails writes no result");
    }
}

memory_snapshot snapshot_of(const fixture *network, const fixture *other) {
    return (memory_snapshot){parameters_of(network), states_of(network), parameters_of(other),
                             all_finite(network)};
}

void expect_changes(memory_snapshot before, memory_snapshot after, cep_status status, changes allowed) {
    if (!same(before.others, after.others))
        fail_invariant("networks are independent");
    bool same_states = same(before.states, after.states);
    if (!same_states && allowed == NOTHING)
        fail_invariant("a call that reads the network does not change its states");
    bool same_parameters = same(before.parameters, after.parameters);
    bool interrupted = status == CEP_STOPPED || status == CEP_DIVERGED;
    bool may_move = (allowed >= PARAMETERS && status == CEP_OK) || (allowed == WHOLE_BATCHES && interrupted);
    if (!same_parameters && !may_move)
        fail_invariant("only training that succeeds changes parameters");
    if (before.finite && !after.finite)
        fail_invariant("training leaves no parameter infinite");
}
