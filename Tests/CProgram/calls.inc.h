/* Every function of cep.h that returns a status: CALL(name, function, what it takes, the call). */

CALL(create, cep_network_create, OPTIONS | RESULT, (a->options, a->result))
CALL(network_copy, cep_network_copy, NETWORK | RESULT, (a->network, a->result))
CALL(network_array, cep_network_array, NETWORK | PARAMETER | RESULT, (a->network, a->kind, a->index, a->result))
CALL(describe, cep_array_describe, ARRAY | RESULT, (a->array, a->result))
CALL(free_phase, cep_free_phase, NETWORK | X | STEPS | RESULT,
     (a->network, a->x, a->steps, 0, a->progress, a->result))
CALL(continued_phase, cep_free_phase, NETWORK | X | STEPS | RESULT,
     (a->network, a->x, a->steps, 1, a->progress, a->result))
CALL(nudged_phase, cep_nudged_phase, NETWORK | TARGETS | BETA | STEPS | RESULT,
     (a->network, a->targets, a->beta, a->steps, a->progress, a->result))
CALL(train_batch, cep_train_batch, NETWORK | X | TARGETS | RULE | TRAINING | RESULT,
     (a->network, a->x, a->targets, a->rule, a->progress, a->result))
CALL(optimizer_prepare, cep_optimizer_prepare, NETWORK | RULE, (a->network, a->rule))
CALL(optimizer_summarize, cep_optimizer_summarize, NETWORK | RESULT, (a->network, a->result))
CALL(optimizer_set_steps, cep_optimizer_set_steps, NETWORK, (a->network, 3))
CALL(optimizer_array, cep_optimizer_array, NETWORK | PARAMETER | NO_STATES | RESULT,
     (a->network, "velocity", a->kind, a->index, a->result))
CALL(train_epoch, cep_train_epoch, NETWORK | X | TARGETS | RULE | TRAINING | EPOCH | RESULT,
     (a->network, a->x, a->targets, a->rule, a->batch_size, 7, a->part, a->progress, a->result))
CALL(get_random_state, cep_get_random_state, NETWORK | RESULT, (a->network, a->result))
CALL(set_random_state, cep_set_random_state, NETWORK | RANDOM_STATE, (a->network, a->random_state))
CALL(check_samples, cep_check_samples, NETWORK | X | TARGETS, (a->network, a->x, a->targets))
CALL(evaluate, cep_evaluate, NETWORK | X | TARGETS | STEPS | RESULT,
     (a->network, a->x, a->targets, a->steps, a->progress, a->result))
CALL(predict, cep_predict, NETWORK | X | STEPS | CLASSES | RESULT,
     (a->network, a->x, a->steps, a->progress, a->result, a->class_count))
CALL(gradient_estimate, cep_gradient_estimate, NETWORK | X | TARGETS | RULE | METRICS | RESULT,
     (a->network, a->x, a->targets, a->rule, a->progress, a->metrics, a->result))
CALL(gradient_array, cep_gradient_array, GRADIENT | PARAMETER | NO_STATES | RESULT,
     (a->gradient, a->kind, a->index, a->result))
CALL(theorem_check, cep_theorem_check, NETWORK | X | TARGETS | CONDITIONS | RESULT,
     (a->network, a->x, a->targets, a->conditions, a->progress, a->result))
CALL(theorem_summarize, cep_theorem_summarize, THEOREM | RESULT, (a->theorem, a->result))
CALL(theorem_compare, cep_theorem_compare, THEOREM | PARAMETER | RESULT,
     (a->theorem, a->kind, a->index, a->result))
CALL(energy, cep_energy, NETWORK | ENERGIES | RESULT, (a->network, a->result, a->energy_count))
CALL(feedback_angle, cep_feedback_angle, NETWORK | CONNECTION | RESULT, (a->network, a->connection, a->result))
CALL(set_num_threads, cep_set_num_threads, THREADS, (a->thread_count))
