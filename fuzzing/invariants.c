#include "promises.h"

cep_status checked(cep_status status) {
    if (status < CEP_OK || status > CEP_BUSY)
        broken("a status is one of cep.h");
    if (status != CEP_OK && cep_last_error()[0] == 0)
        broken("what fails says why");
    return status;
}

void expect_unwritten(cep_status status, const void *result, size_t size) {
    for (size_t i = 0; status != CEP_OK && i < size; i++) {
        if (((const uint8_t *)result)[i] != unwritten)
            broken("a call that fails writes no result");
    }
}

moment look_at(const subject *network, const subject *other) {
    return (moment){parameters_of(network), states_of(network), parameters_of(other), all_finite(network)};
}

void expect_changes(moment before, moment after, cep_status status, changes allowed) {
    if (!same(before.others, after.others))
        broken("networks are independent");
    bool states_stayed = same(before.states, after.states);
    if (!states_stayed && allowed == NOTHING)
        broken("what looks at a network does not change its states");
    bool parameters_stayed = same(before.parameters, after.parameters);
    bool in_the_middle = status == CEP_STOPPED || status == CEP_DIVERGED;
    bool may_move = (allowed >= PARAMETERS && status == CEP_OK) || (allowed == WHOLE_BATCHES && in_the_middle);
    if (!parameters_stayed && !may_move)
        broken("only training that succeeds moves parameters");
    if (before.finite && !after.finite)
        broken("training leaves no parameter infinite");
}
