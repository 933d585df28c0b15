/* Every bad argument: BAD(name, what a call takes for which it matters, words of the message, what is spoiled). */

/* ---- Handles: none, memory that is something else, numbers, other kinds, those that are gone ---- */

#define FOREIGN(handle, TAKES, ...)                                                                               \
    BAD(handle##_null, TAKES, #handle " is NULL", a->handle = NULL)                                               \
    BAD(handle##_zeros, TAKES, __VA_ARGS__, a->handle = (void *)zeros)                                            \
    BAD(handle##_text, TAKES, __VA_ARGS__, a->handle = (void *)text)                                              \
    BAD(handle##_own_struct, TAKES, __VA_ARGS__, a->handle = (void *)&a->x_storage)                               \
    BAD(handle##_own_memory, TAKES, __VA_ARGS__, a->handle = a->world->layouts[0].data)                           \
    BAD(handle##_one, TAKES, __VA_ARGS__, a->handle = (void *)1)                                                  \
    BAD(handle##_highest, TAKES, __VA_ARGS__, a->handle = (void *)UINTPTR_MAX)                                    \
    BAD(handle##_not_yet, TAKES, __VA_ARGS__, a->handle = (void *)((char *)a->handle + (1 << 20)))

FOREIGN(network, NETWORK, "network is not a network")
FOREIGN(array, ARRAY, "array is not an array")
FOREIGN(gradient, GRADIENT, "gradient is not a gradient")
FOREIGN(theorem, THEOREM, "theorem is not a theorem")
#undef FOREIGN
BAD(network_destroyed, NETWORK, "it was released", a->network = a->world->destroyed_network)
BAD(array_released, ARRAY, "it was released", a->array = a->world->released_array)
BAD(gradient_destroyed, GRADIENT, "it was released", a->gradient = a->world->destroyed_gradient)
BAD(theorem_destroyed, THEOREM, "it was released", a->theorem = a->world->destroyed_theorem)
BAD(network_is_array, NETWORK, "network is an array", a->network = (void *)a->world->array)
BAD(network_is_gradient, NETWORK, "network is a gradient", a->network = (void *)a->world->gradient)
BAD(array_is_network, ARRAY, "array is a network", a->array = (void *)a->world->network)
BAD(array_is_theorem, ARRAY, "array is a theorem", a->array = (void *)a->world->theorem)
BAD(gradient_is_array, GRADIENT, "gradient is an array", a->gradient = (void *)a->world->array)
BAD(theorem_is_network, THEOREM, "theorem is a network", a->theorem = (void *)a->world->network)

/* ---- Where results go ---- */

BAD(result_null, RESULT, "is NULL", a->result = NULL)
BAD(result_misaligned, RESULT, "is not aligned", a->result = (char *)a->result + 1)
BAD(result_half_aligned, RESULT, "is not aligned", a->result = (char *)a->result + 4)
BAD(result_over_inputs, RESULT | X, "overlaps x.data", a->result = a->inputs)
BAD(result_over_last_input, RESULT | X, "overlaps x.data", a->result = a->inputs + 5)
BAD(result_over_x, RESULT | X, "overlaps x", a->result = &a->x_storage)
BAD(result_over_targets, RESULT | TARGETS, "overlaps targets", a->result = &a->targets_storage)
BAD(result_over_labels, RESULT | TARGETS, "overlaps y", a->result = a->labels + 2)
BAD(result_over_values, RESULT | TARGETS, "overlaps y.data", (give_values(a), a->result = a->values))
BAD(result_over_rule, RESULT | RULE, "overlaps rule", a->result = &a->rule_storage)
BAD(result_over_rates, RESULT | RULE, "overlaps learning_rates", a->result = a->rates)
BAD(result_over_bias_rates, RESULT | RULE, "overlaps bias_learning_rates", a->result = a->bias_rates + 1)
BAD(result_over_conditions, RESULT | CONDITIONS, "overlaps conditions", a->result = &a->conditions_storage)
BAD(result_over_their_rates, RESULT | CONDITIONS, "overlaps learning_rates", a->result = a->rates)
BAD(result_over_part, RESULT | EPOCH, "overlaps part", a->result = &a->part_storage)
BAD(result_over_options, RESULT | OPTIONS, "overlaps options", a->result = &a->options_storage)
BAD(result_over_sizes, RESULT | OPTIONS, "overlaps sizes", a->result = a->sizes + 1)
BAD(result_over_weights, RESULT | NETWORK, "overlaps memory of the network", a->result = a->world->layouts[0].data)
BAD(result_over_states, RESULT | NETWORK, "overlaps memory of the network",
    a->result = a->world->layouts[a->world->array_count - 1].data)
BAD(result_over_array, RESULT | ARRAY, "overlaps memory of the array", a->result = a->world->layouts[0].data)
BAD(metrics_null, METRICS, "metrics is NULL", a->metrics = NULL)
BAD(metrics_misaligned, METRICS, "metrics is not aligned", a->metrics = (char *)a->metrics + 1)
BAD(metrics_over_result, METRICS, "overlaps", a->metrics = a->result)
BAD(metrics_over_inputs, METRICS, "overlaps", a->metrics = a->inputs)
BAD(metrics_over_weights, METRICS, "overlaps", a->metrics = a->world->layouts[0].data)

/* ---- Options by name ---- */

BAD(option_count, OPTIONS, "named options", a->options_storage.more_count = -1)
BAD(option_list_null, OPTIONS, "more is NULL", a->options_storage.more_count = 1)
BAD(option_unknown, OPTIONS, "no option size", a->options_storage.more = named(a, "size", "3", -1))
BAD(option_name_null, OPTIONS, "name of an option is NULL", a->options_storage.more = named(a, NULL, "3", -1))
BAD(loss_unknown, OPTIONS, "loss must be", a->options_storage.more = named(a, "loss", "hinge", -1))
BAD(nudging_unknown, OPTIONS, "nudging must be", a->options_storage.more = named(a, "nudging", "", -1))
BAD(activations_few, OPTIONS, "activation has 1 values",
    a->options_storage.more = named(a, "activations", "tanh", -1))
BAD(connections_odd, OPTIONS, "connections must be pairs",
    a->options_storage.more = named(a, "connections", NULL, 0.5))
BAD(optimizer_unknown, RULE, "optimizer must be", a->rule_storage.more = named(a, "optimizer", "newton", -1))
BAD(momentum_one, RULE, "momentum must be in [0, 1)", a->rule_storage.more = named(a, "momentum", NULL, 1))
BAD(decay_negative, RULE, "weight_decay", a->rule_storage.more = named(a, "weight_decay", NULL, -0.5))

/* ---- Options of a network ---- */

BAD(options_null, OPTIONS, "options is NULL", a->options = NULL)
BAD(options_misaligned, OPTIONS, "options is not aligned",
    a->options = misaligned(a, &a->options_storage, sizeof a->options_storage))
BAD(sizes_null, OPTIONS, "sizes is NULL", a->options_storage.sizes = NULL)
BAD(sizes_misaligned, OPTIONS, "sizes is not aligned", a->options_storage.sizes = (void *)((char *)a->sizes + 4))
BAD(no_layers, OPTIONS, "at least 3 layers", a->options_storage.layer_count = 0)
BAD(two_layers, OPTIONS, "at least 3 layers", a->options_storage.layer_count = 2)
BAD(layers_negative, OPTIONS, "number of layers", a->options_storage.layer_count = -1)
BAD(layers_lowest, OPTIONS, "number of layers", a->options_storage.layer_count = INT64_MIN)
BAD(layers_31_bits, OPTIONS, "number of layers", a->options_storage.layer_count = INT64_C(1) << 31)
BAD(layers_highest, OPTIONS, "number of layers", a->options_storage.layer_count = INT64_MAX)
BAD(no_units, OPTIONS, "layer 0 has 0 units", a->sizes[0] = 0)
BAD(units_negative, OPTIONS, "layer 1 has -1 units", a->sizes[1] = -1)
BAD(units_lowest, OPTIONS, "layer 2 has", a->sizes[2] = INT64_MIN)
BAD(units_31_bits, OPTIONS, "layer 0 has 2147483648 units", a->sizes[0] = INT64_C(1) << 31)
BAD(units_highest, OPTIONS, "layer 1 has", a->sizes[1] = INT64_MAX)
BAD(setting_unknown, OPTIONS, "not a setting", a->options_storage.setting = 2)
BAD(setting_lowest, OPTIONS, "not a setting", a->options_storage.setting = INT32_MIN)
BAD(activation_unknown, OPTIONS, "not an activation", a->options_storage.activation = 6)
BAD(activation_lowest, OPTIONS, "not an activation", a->options_storage.activation = INT32_MIN)
BAD(feedback_unknown, OPTIONS, "not a kind of feedback", a->options_storage.feedback = -1)
BAD(feedback_highest, OPTIONS, "not a kind of feedback", a->options_storage.feedback = INT32_MAX)
BAD(dtype_unknown, OPTIONS, "not a dtype", a->options_storage.dtype = 2)
BAD(dtype_lowest, OPTIONS, "not a dtype", a->options_storage.dtype = INT32_MIN)
BAD(relaxation_unknown, OPTIONS, "not an order of relaxation", a->options_storage.relaxation = 2)
BAD(time_step_zero, OPTIONS, "dt must be", a->options_storage.time_step = 0)
BAD(time_step_above_one, OPTIONS, "dt must be", a->options_storage.time_step = 1.5)
BAD(time_step_nan, OPTIONS, "dt must be", a->options_storage.time_step = NAN)
BAD(time_step_infinite, OPTIONS, "dt must be", a->options_storage.time_step = INFINITY)
BAD(time_step_nan_in_real_time, OPTIONS, "dt must be",
    (a->options_storage.setting = CEP_REAL_TIME, a->options_storage.time_step = NAN))
BAD(tolerance_negative, OPTIONS, "tolerance must be", a->options_storage.tolerance = -1e-9)
BAD(tolerance_nan, OPTIONS, "tolerance must be", a->options_storage.tolerance = NAN)
BAD(tolerance_infinite, OPTIONS, "tolerance must be", a->options_storage.tolerance = INFINITY)
BAD(angle_negative, OPTIONS, "angle must be", a->options_storage.feedback_angle = -1)
BAD(angle_above_180, OPTIONS, "angle must be", a->options_storage.feedback_angle = 181)
BAD(angle_nan, OPTIONS, "angle must be", a->options_storage.feedback_angle = NAN)
BAD(angle_infinite, OPTIONS, "angle must be", a->options_storage.feedback_angle = -INFINITY)

/* ---- x ---- */

BAD(x_null, X, "x is NULL", a->x = NULL)
BAD(x_misaligned, X, "x is not aligned", a->x = misaligned(a, &a->x_storage, sizeof a->x_storage))
BAD(x_data_null, X, "x.data is NULL", a->x_storage.data = NULL)
BAD(x_data_misaligned, X, "x.data is not aligned", a->x_storage.data = (char *)a->inputs + 2)
BAD(x_data_at_the_end, X, "more than can be addressed", a->x_storage.data = (void *)(UINTPTR_MAX - 31))
BAD(x_dtype_unknown, X, "dtype 2", a->x_storage.dtype = 2)
BAD(x_dtype_lowest, X, "dtype", a->x_storage.dtype = INT32_MIN)
BAD(x_no_rows, X, "x is 0", a->x_storage.rows = 0)
BAD(x_rows_negative, X, "x is -1", a->x_storage.rows = -1)
BAD(x_rows_lowest, X, "x is", a->x_storage.rows = INT64_MIN)
BAD(x_rows_31_bits, X, "x is 2147483648", a->x_storage.rows = INT64_C(1) << 31)
BAD(x_rows_60_bits, X, "x is 1152921504606846976", a->x_storage.rows = INT64_C(1) << 60)
BAD(x_rows_highest, X, "x is 9223372036854775807", a->x_storage.rows = INT64_MAX)
BAD(x_no_columns, X, "at least one row", a->x_storage.columns = 0)
BAD(x_columns_lowest, X, "x is 3", a->x_storage.columns = INT64_MIN)
BAD(x_columns_too_few, X, "x has 3 columns", a->x_storage.columns = 3)
BAD(x_columns_too_many, X, "x has 5 columns", a->x_storage.columns = 5)
BAD(x_columns_highest, X, "x is 3", a->x_storage.columns = INT64_MAX)
BAD(x_both_32_bits, X, "x is 4294967296",
    (a->x_storage.rows = INT64_C(1) << 32, a->x_storage.columns = INT64_C(1) << 32))
BAD(x_nan, X, "row 2, column 3", set_input(a, 11, NAN))
BAD(x_infinite, X, "row 0, column 0", set_input(a, 0, INFINITY))
BAD(x_minus_infinite, X, "row 1, column 0", set_input(a, 4, -INFINITY))
BAD(x_fewer_rows_than_targets, X | TARGETS, "2 rows of x", a->x_storage.rows = 2)
BAD(x_is_what_an_epoch_changes, X | EPOCH, "x.data overlaps memory of the network",
    a->x_storage.data = a->world->layouts[0].data)

/* ---- Targets ---- */

BAD(targets_null, TARGETS, "targets is NULL", a->targets = NULL)
BAD(targets_misaligned, TARGETS, "targets is not aligned",
    a->targets = misaligned(a, &a->targets_storage, sizeof a->targets_storage))
BAD(labels_misaligned, TARGETS, "y is not aligned", a->targets_storage.labels = (void *)((char *)a->labels + 4))
BAD(labels_at_the_end, TARGETS, "more than can be addressed",
    a->targets_storage.labels = (void *)(UINTPTR_MAX - 15))
BAD(no_labels, TARGETS, "y has 0 labels", a->targets_storage.label_count = 0)
BAD(labels_lowest, TARGETS, "labels", a->targets_storage.label_count = INT64_MIN)
BAD(labels_too_few, TARGETS, "y has 2 targets", a->targets_storage.label_count = 2)
BAD(labels_31_bits, TARGETS, "y has 2147483648 labels", a->targets_storage.label_count = INT64_C(1) << 31)
BAD(labels_highest, TARGETS, "y has 9223372036854775807 labels", a->targets_storage.label_count = INT64_MAX)
BAD(label_negative, TARGETS, "label -1 in row 0", a->labels[0] = -1)
BAD(label_too_high, TARGETS, "label 3 in row 2", a->labels[2] = 3)
BAD(label_lowest, TARGETS, "in row 1", a->labels[1] = INT64_MIN)
BAD(label_highest, TARGETS, "in row 1", a->labels[1] = INT64_MAX)
BAD(values_null, TARGETS, "y.data is NULL", (give_values(a), a->targets_storage.values.data = NULL))
BAD(values_misaligned, TARGETS, "y.data is not aligned",
    (give_values(a), a->targets_storage.values.data = (char *)a->values + 1))
BAD(values_dtype_unknown, TARGETS, "dtype -1", (give_values(a), a->targets_storage.values.dtype = -1))
BAD(values_too_few_rows, TARGETS, "y has 2 targets", (give_values(a), a->targets_storage.values.rows = 2))
BAD(values_no_rows, TARGETS, "y is 0", (give_values(a), a->targets_storage.values.rows = 0))
BAD(values_rows_highest, TARGETS, "y is 9223372036854775807",
    (give_values(a), a->targets_storage.values.rows = INT64_MAX))
BAD(values_columns_too_few, TARGETS, "y has 2 columns", (give_values(a), a->targets_storage.values.columns = 2))
BAD(values_columns_lowest, TARGETS, "y is", (give_values(a), a->targets_storage.values.columns = INT64_MIN))
BAD(values_nan, TARGETS, "row 2, column 2", (give_values(a), set_value(&a->targets_storage.values, 8, NAN)))
BAD(values_infinite, TARGETS, "row 0, column 1",
    (give_values(a), set_value(&a->targets_storage.values, 1, -INFINITY)))
BAD(labels_are_what_an_epoch_changes, TARGETS | EPOCH, "y overlaps memory of the network",
    a->targets_storage.labels = a->world->layouts[0].data)

/* ---- Numbers of phases ---- */

BAD(no_steps, STEPS, "steps must be 1 or more", a->steps = 0)
BAD(steps_negative, STEPS, "steps must be 1 or more", a->steps = -1)
BAD(steps_lowest, STEPS, "steps must be 1 or more", a->steps = INT64_MIN)
BAD(beta_zero, BETA, "beta must be", a->beta = 0)
BAD(beta_nan, BETA, "beta must be", a->beta = NAN)
BAD(beta_infinite, BETA, "beta must be", a->beta = INFINITY)
BAD(beta_minus_infinite, BETA, "beta must be", a->beta = -INFINITY)
BAD(beta_denormal, BETA, "beta", a->beta = 1e-320)

/* ---- Rules ---- */

BAD(rule_null, RULE, "rule is NULL", a->rule = NULL)
BAD(rule_misaligned, RULE, "rule is not aligned",
    a->rule = misaligned(a, &a->rule_storage, sizeof a->rule_storage))
BAD(rule_kind_unknown, RULE, "1000 is not a kind of learning rule", a->rule_storage.kind = 1000)
BAD(rule_kind_lowest, RULE, "not a kind of learning rule", a->rule_storage.kind = INT32_MIN)
BAD(no_free_steps, RULE, "free_steps", a->rule_storage.free_steps = 0)
BAD(free_steps_negative, RULE, "free_steps", a->rule_storage.free_steps = -1)
BAD(free_steps_lowest, RULE, "free_steps", a->rule_storage.free_steps = INT64_MIN)
BAD(nudged_steps_negative, RULE, "nudged_steps", a->rule_storage.nudged_steps = -1)
BAD(no_nudged_steps, TWO_PHASES, "nudged_steps", a->rule_storage.nudged_steps = 0)
BAD(nudged_steps_lowest, RULE, "nudged_steps", a->rule_storage.nudged_steps = INT64_MIN)
BAD(rule_beta_zero, TWO_PHASES, "beta must be", a->rule_storage.beta = 0)
BAD(rule_beta_nan, RULE, "beta must be", a->rule_storage.beta = NAN)
BAD(rule_beta_infinite, RULE, "beta must be", a->rule_storage.beta = -INFINITY)
BAD(beta_sign_unknown, RULE, "3 is not a sign of beta", a->rule_storage.beta_sign = 3)
BAD(beta_sign_lowest, RULE, "not a sign of beta", a->rule_storage.beta_sign = INT32_MIN)
BAD(continual_rule_symmetric, CONTINUAL, "no symmetric beta", a->rule_storage.beta_sign = CEP_BETA_SYMMETRIC)
BAD(last_steps_negative, RULE, "last_steps", a->rule_storage.last_steps = -1)
BAD(last_steps_too_many, BPTT, "last_steps is 4", a->rule_storage.last_steps = 4)
BAD(last_steps_highest, BPTT, "last_steps is", a->rule_storage.last_steps = INT64_MAX)
BAD(rule_tolerance_nan, RULE, "tolerance must be", a->rule_storage.tolerance = NAN)
BAD(rule_tolerance_zero, RBP, "tolerance must be", a->rule_storage.tolerance = 0)
BAD(rule_tolerance_one, RULE, "tolerance must be", a->rule_storage.tolerance = 1)
BAD(rule_tolerance_infinite, RULE, "tolerance must be", a->rule_storage.tolerance = INFINITY)
BAD(no_iterations, RBP, "max_iterations", a->rule_storage.max_iterations = 0)
BAD(iterations_lowest, RULE, "max_iterations", a->rule_storage.max_iterations = INT64_MIN)
BAD(rates_null, RULE, "learning_rates is NULL", a->rule_storage.learning_rates = NULL)
BAD(rates_misaligned, RULE, "learning_rates is not aligned",
    a->rule_storage.learning_rates = (void *)((char *)a->rates + 4))
BAD(no_rates, TRAINING, "learning_rates has 0 values", a->rule_storage.learning_rate_count = 0)
BAD(rates_too_few, RULE, "learning_rates has 1 values", a->rule_storage.learning_rate_count = 1)
BAD(rates_too_many, RULE, "learning_rates has 3 values", a->rule_storage.learning_rate_count = 3)
BAD(rate_count_lowest, RULE, "learning_rates has", a->rule_storage.learning_rate_count = INT64_MIN)
BAD(rate_count_31_bits, RULE, "learning_rates has", a->rule_storage.learning_rate_count = INT64_C(1) << 31)
BAD(rate_count_highest, RULE, "learning_rates has", a->rule_storage.learning_rate_count = INT64_MAX)
BAD(rate_negative, RULE, "learning_rates[1] is -0.1", a->rates[1] = -0.1)
BAD(rate_nan, RULE, "learning_rates[0]", a->rates[0] = NAN)
BAD(rate_infinite, RULE, "learning_rates[1]", a->rates[1] = INFINITY)
BAD(bias_rates_null, RULE, "bias_learning_rates is NULL", a->rule_storage.bias_learning_rates = NULL)
BAD(bias_rates_misaligned, RULE, "bias_learning_rates is not aligned",
    a->rule_storage.bias_learning_rates = (void *)((char *)a->bias_rates + 1))
BAD(bias_rates_too_few, RULE, "bias_learning_rates has 1 values", a->rule_storage.bias_learning_rate_count = 1)
BAD(bias_rate_count_lowest, RULE, "bias_learning_rates has", a->rule_storage.bias_learning_rate_count = INT64_MIN)
BAD(bias_rate_count_highest, RULE, "bias_learning_rates has", a->rule_storage.bias_learning_rate_count = INT64_MAX)
BAD(bias_rate_nan, RULE, "bias_learning_rates[1]", a->bias_rates[1] = NAN)

/* ---- Epochs ---- */

BAD(no_batch, EPOCH, "batch_size", a->batch_size = 0)
BAD(batch_negative, EPOCH, "batch_size", a->batch_size = -1)
BAD(batch_lowest, EPOCH, "batch_size", a->batch_size = INT64_MIN)
BAD(part_misaligned, EPOCH, "part is not aligned",
    a->part = misaligned(a, &a->part_storage, sizeof a->part_storage))
BAD(first_batch_negative, EPOCH, "first_batch is -1", a->part_storage.first_batch = -1)
BAD(first_batch_beyond, EPOCH, "first_batch is 2", a->part_storage.first_batch = 2)
BAD(first_batch_lowest, EPOCH, "first_batch is", a->part_storage.first_batch = INT64_MIN)
BAD(first_batch_highest, EPOCH, "first_batch is", a->part_storage.first_batch = INT64_MAX)
BAD(batch_count_negative, EPOCH, "batch_count", a->part_storage.batch_count = -1)
BAD(batch_count_lowest, EPOCH, "batch_count", a->part_storage.batch_count = INT64_MIN)
BAD(errors_negative, EPOCH, "errors is -1", a->part_storage.errors = -1)
BAD(errors_of_no_batch, EPOCH, "errors is 1", a->part_storage.errors = 1)
BAD(errors_highest, EPOCH, "errors is", (a->part_storage.first_batch = 1, a->part_storage.errors = INT64_MAX))
BAD(loss_negative, EPOCH, "loss_sum", a->part_storage.loss_sum = -1)
BAD(loss_nan, EPOCH, "loss_sum", a->part_storage.loss_sum = NAN)
BAD(loss_infinite, EPOCH, "loss_sum", a->part_storage.loss_sum = INFINITY)

/* ---- Conditions of the theorem ---- */

BAD(conditions_null, CONDITIONS, "conditions is NULL", a->conditions = NULL)
BAD(conditions_misaligned, CONDITIONS, "conditions is not aligned",
    a->conditions = misaligned(a, &a->conditions_storage, sizeof a->conditions_storage))
BAD(theorem_no_free_steps, CONDITIONS, "free_steps", a->conditions_storage.free_steps = 0)
BAD(theorem_free_steps_lowest, CONDITIONS, "free_steps", a->conditions_storage.free_steps = INT64_MIN)
BAD(theorem_no_nudged_steps, CONDITIONS, "nudged_steps", a->conditions_storage.nudged_steps = 0)
BAD(theorem_nudged_steps_too_many, CONDITIONS, "more than the 4 free_steps",
    a->conditions_storage.nudged_steps = 5)
BAD(theorem_nudged_steps_highest, CONDITIONS, "more than the 4", a->conditions_storage.nudged_steps = INT64_MAX)
BAD(theorem_beta_zero, CONDITIONS, "beta must be", a->conditions_storage.beta = 0)
BAD(theorem_beta_nan, CONDITIONS, "beta must be", a->conditions_storage.beta = NAN)
BAD(theorem_beta_infinite, CONDITIONS, "beta must be", a->conditions_storage.beta = INFINITY)
BAD(theorem_no_rates, CONDITIONS, "learning_rates has no values", a->conditions_storage.learning_rate_count = 0)
BAD(theorem_rates_null, CONDITIONS, "learning_rates is NULL", a->conditions_storage.learning_rates = NULL)
BAD(theorem_rates_too_few, CONDITIONS, "1 values", a->conditions_storage.learning_rate_count = 1)
BAD(theorem_rate_count_highest, CONDITIONS, "values", a->conditions_storage.learning_rate_count = INT64_MAX)
BAD(theorem_rate_nan, CONDITIONS, "learning_rates[1]", a->rates[1] = NAN)
BAD(theorem_bias_count_negative, CONDITIONS, "bias_learning_rates has -1",
    a->conditions_storage.bias_learning_rate_count = -1)
BAD(theorem_bias_rates_null, CONDITIONS, "bias_learning_rates is NULL",
    a->conditions_storage.bias_learning_rate_count = 2)

/* ---- Which array ---- */

BAD(kind_unknown, PARAMETER, "4 is not a kind of array", a->kind = 4)
BAD(kind_lowest, PARAMETER, "not a kind of array", a->kind = INT32_MIN)
BAD(kind_states, NO_STATES, "3 is not a kind of array", a->kind = CEP_STATES)
BAD(connection_negative, PARAMETER, "no connection -1", a->index = -1)
BAD(connection_beyond, PARAMETER, "no connection 2", a->index = 2)
BAD(connection_lowest, PARAMETER, "no connection", a->index = INT64_MIN)
BAD(connection_highest, PARAMETER, "no connection", a->index = INT64_MAX)
BAD(input_feedback, PARAMETER, "no feedback weights", (a->kind = CEP_FEEDBACK_WEIGHTS, a->index = 0))
BAD(layer_negative, LAYER, "layer -1", (a->kind = CEP_STATES, a->index = -1))
BAD(layer_beyond, LAYER, "layer 3", (a->kind = CEP_STATES, a->index = 3))
BAD(layer_highest, LAYER, "layer", (a->kind = CEP_STATES, a->index = INT64_MAX))
BAD(angle_of_input, CONNECTION, "connection 0 has no feedback", a->connection = 0)
BAD(angle_beyond, CONNECTION, "no connection 2", a->connection = 2)
BAD(angle_lowest, CONNECTION, "no connection", a->connection = INT64_MIN)
BAD(angle_highest, CONNECTION, "no connection", a->connection = INT64_MAX)

/* ---- Counts ---- */

BAD(no_classes, CLASSES, "room for 0 values", a->class_count = 0)
BAD(classes_too_few, CLASSES, "room for 2 values", a->class_count = 2)
BAD(classes_too_many, CLASSES, "room for 4 values", a->class_count = 4)
BAD(classes_lowest, CLASSES, "room for", a->class_count = INT64_MIN)
BAD(classes_highest, CLASSES, "room for", a->class_count = INT64_MAX)
BAD(no_energies, ENERGIES, "room for 0 values", a->energy_count = 0)
BAD(energies_too_few, ENERGIES, "room for 2 values", a->energy_count = 2)
BAD(energies_too_many, ENERGIES, "room for 4 values", a->energy_count = 4)
BAD(energies_lowest, ENERGIES, "room for", a->energy_count = INT64_MIN)
BAD(energies_highest, ENERGIES, "more than can be addressed", a->energy_count = INT64_MAX)
BAD(random_state_null, RANDOM_STATE, "state is NULL", a->random_state = NULL)
BAD(random_state_misaligned, RANDOM_STATE, "state is not aligned",
    a->random_state = misaligned(a, &a->random_storage, sizeof a->random_storage))
BAD(random_state_zero, RANDOM_STATE, "four zeros", memset(&a->random_storage, 0, sizeof a->random_storage))
BAD(no_threads, THREADS, "1 to 1024", a->thread_count = 0)
BAD(threads_lowest, THREADS, "1 to 1024", a->thread_count = INT64_MIN)
BAD(threads_too_many, THREADS, "1 to 1024", a->thread_count = 1025)
BAD(threads_highest, THREADS, "1 to 1024", a->thread_count = INT64_MAX)
