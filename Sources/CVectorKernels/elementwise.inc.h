/*
 * What is computed of each value by itself: activations, steps of states, sizes. For kernels.inc.h.
 */

/* ---- Elementary functions --------------------------------------------------------------------- */

/* 2^x by 2^n 2^r, |r| <= 1/2. Above the range infinity, below it the smallest normal numbers; NaN stays. */
INLINE VECTOR NAME(power_of_two)(VECTOR x) {
    x = SELECT(x > SPLAT(EXPONENT_BIAS + 1), SPLAT(EXPONENT_BIAS + 1), x);
    x = SELECT(x < SPLAT(1 - EXPONENT_BIAS), SPLAT(1 - EXPONENT_BIAS), x);
    VECTOR shifted = x + SPLAT(ROUNDING);
    VECTOR r = x - (shifted - SPLAT(ROUNDING));
    VECTOR p = SPLAT(POWER_COEFFICIENTS[POWER_DEGREE]);
    for (int i = POWER_DEGREE - 1; i >= 0; i--) {
        p = MULTIPLY_ADD(p, r, SPLAT(POWER_COEFFICIENTS[i]));
    }
    NAME(mask) exponent = ((NAME(mask))shifted + EXPONENT_BIAS) << MANTISSA_BITS;
    return p * (VECTOR)exponent;
}

/* 1 / (1 + e^(2 - 4x)) */
INLINE VECTOR NAME(shifted_sigmoid)(VECTOR x) {
    VECTOR power = MULTIPLY_ADD(SPLAT(-4 * LOG2_E), x, SPLAT(2 * LOG2_E));
    return SPLAT(1) / (SPLAT(1) + NAME(power_of_two)(power));
}

/* 1 / (1 + e^-x) */
INLINE VECTOR NAME(sigmoid)(VECTOR x) { return SPLAT(1) / (SPLAT(1) + NAME(power_of_two)(SPLAT(-LOG2_E) * x)); }

INLINE VECTOR NAME(hard_sigmoid)(VECTOR x) {
    x = SELECT(x < SPLAT(0), SPLAT(0), x);
    return SELECT(x > SPLAT(1), SPLAT(1), x);
}

/* Computed from |x|, with the sign of x restored: near 0 a series, so that tanh(x) is accurate to the last bits there;
 * elsewhere 1 - 2 / (e^2x + 1). */
INLINE VECTOR NAME(tanh)(VECTOR x) {
    VECTOR size = (VECTOR)((NAME(mask))x & MAGNITUDE);
    VECTOR far = SPLAT(1) - SPLAT(2) / (NAME(power_of_two)(SPLAT(2 * LOG2_E) * size) + SPLAT(1));
    VECTOR square = x * x;
    VECTOR p = SPLAT(TANH_COEFFICIENTS[TANH_TERMS - 1]);
    for (int i = TANH_TERMS - 2; i >= 0; i--) {
        p = MULTIPLY_ADD(p, square, SPLAT(TANH_COEFFICIENTS[i]));
    }
    VECTOR near = MULTIPLY_ADD(size * square, p, size);
    VECTOR result = SELECT(square < SPLAT(0.625 * 0.625), near, far);
    return (VECTOR)((NAME(mask))result | ((NAME(mask))x & ~(INTEGER)MAGNITUDE));
}

INLINE VECTOR NAME(apply)(int activation, VECTOR x) {
    switch (activation) {
    case CEP_KERNEL_SHIFTED_SIGMOID:
        return NAME(shifted_sigmoid)(x);
    case CEP_KERNEL_HARD_SIGMOID:
        return NAME(hard_sigmoid)(x);
    case CEP_KERNEL_SIGMOID:
        return NAME(sigmoid)(x);
    case CEP_KERNEL_HALF_HARD_SIGMOID:
        return NAME(hard_sigmoid)(SPLAT(0.5) * x);
    case CEP_KERNEL_LINEAR:
        return x;
    default:
        return NAME(tanh)(x);
    }
}

INLINE VECTOR NAME(derivative)(int activation, VECTOR x) {
    VECTOR y;
    switch (activation) {
    case CEP_KERNEL_SHIFTED_SIGMOID:
        y = NAME(shifted_sigmoid)(x);
        return SPLAT(4) * y * (SPLAT(1) - y);
    case CEP_KERNEL_HARD_SIGMOID:
        return SELECT((x >= SPLAT(0)) & (x <= SPLAT(1)), SPLAT(1), SPLAT(0));
    case CEP_KERNEL_TANH:
        y = NAME(tanh)(x);
        return MULTIPLY_ADD(-y, y, SPLAT(1));
    case CEP_KERNEL_SIGMOID:
        y = NAME(sigmoid)(x);
        return y * (SPLAT(1) - y);
    case CEP_KERNEL_HALF_HARD_SIGMOID:
        return SELECT((x >= SPLAT(0)) & (x <= SPLAT(2)), SPLAT(0.5), SPLAT(0));
    default:
        return SPLAT(1);
    }
}

/* `call(activation)` with each activation as a constant, so that the loop is compiled for it. */
#define FOR_ACTIVATION(activation, call)                                                                          \
    switch (activation) {                                                                                         \
    case CEP_KERNEL_SHIFTED_SIGMOID:                                                                              \
        call(CEP_KERNEL_SHIFTED_SIGMOID);                                                                         \
        break;                                                                                                    \
    case CEP_KERNEL_HARD_SIGMOID:                                                                                 \
        call(CEP_KERNEL_HARD_SIGMOID);                                                                            \
        break;                                                                                                    \
    case CEP_KERNEL_TANH:                                                                                         \
        call(CEP_KERNEL_TANH);                                                                                    \
        break;                                                                                                    \
    case CEP_KERNEL_SIGMOID:                                                                                      \
        call(CEP_KERNEL_SIGMOID);                                                                                 \
        break;                                                                                                    \
    case CEP_KERNEL_HALF_HARD_SIGMOID:                                                                            \
        call(CEP_KERNEL_HALF_HARD_SIGMOID);                                                                       \
        break;                                                                                                    \
    default:                                                                                                      \
        call(CEP_KERNEL_LINEAR);                                                                                  \
    }

/* ---- Loops over arrays ------------------------------------------------------------------------ */

/* Magnitudes are compared as integers: positive numbers have the same order, with infinity and NaN above them. */
#define SIZE(change) ((NAME(mask))(change) & MAGNITUDE)
#define RECORD(change) largest = __builtin_elementwise_max(largest, SIZE(change))

/* The largest magnitude among the lanes; NaN if a value was infinite or NaN. */
INLINE T NAME(largest)(NAME(mask) largest) {
    union {
        INTEGER bits;
        T value;
    } result = {.bits = __builtin_reduce_max(largest)};
    return result.bits < INFINITE ? result.value : (T)NAN;
}

INLINE void NAME(activate_loop)(int activation, const T *input, T *output, size_t count) {
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        STORE(output + i, NAME(apply)(activation, LOAD(input + i)));
    if (i < count) {
        NAME(store_part)(output + i, NAME(apply)(activation, NAME(load_part)(input + i, count - i)), count - i);
    }
}

TARGET static void NAME(activate)(int activation, const void *input, void *output, size_t count){
#define LOOP(constant) NAME(activate_loop)(constant, input, output, count)
    FOR_ACTIVATION(activation, LOOP)
#undef LOOP
}

TARGET static double NAME(largest_magnitude)(const void *array, size_t count) {
    const T *values = array;
    NAME(mask) largest = {0};
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        VECTOR value = LOAD(values + i);
        RECORD(value);
    }
    if (i < count) {
        VECTOR value = NAME(load_part)(values + i, count - i);
        RECORD(value);
    }
    return NAME(largest)(largest);
}

INLINE T NAME(prototypical_loop)(int activation, const T *preactivation, const T *pull, T beta, T *state,
                                 size_t count) {
    NAME(mask) largest = {0};
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        VECTOR new = NAME(apply)(activation, LOAD(preactivation + i));
        if (pull)
            new = MULTIPLY_ADD(SPLAT(beta), LOAD(pull + i), new);
        VECTOR change = new - LOAD(state + i);
        RECORD(change);
        STORE(state + i, new);
    }
    if (i < count) {
        size_t rest = count - i;
        VECTOR new = NAME(apply)(activation, NAME(load_part)(preactivation + i, rest));
        if (pull)
            new = MULTIPLY_ADD(SPLAT(beta), NAME(load_part)(pull + i, rest), new);
        VECTOR change = NAME(first_lanes)(new - NAME(load_part)(state + i, rest), rest);
        NAME(store_part)(state + i, new, rest);
        RECORD(change);
    }
    return NAME(largest)(largest);
}

/* The larger of two magnitudes; NaN if either is NaN. */
INLINE void NAME(raise)(T *largest, T size) {
    if (!(size <= *largest) && *largest == *largest)
        *largest = size;
}

#define ROW(array) ((array) ? (const T *)(array) + start : 0)
#define EACH_ROW(loop, ...)                                                                                       \
    for (size_t row = 0; row < rows; row++) {                                                                     \
        size_t start = row * columns;                                                                             \
        NAME(raise)((T *)changes + row,                                                                           \
                    NAME(loop)(__VA_ARGS__, ROW(preactivation), ROW(pull), beta, (T *)state + start, columns));   \
    }

TARGET static void NAME(step_prototypical)(int activation, size_t rows, size_t columns, const void *preactivation,
                                           const void *pull, double beta, void *state, void *changes){
#define LOOP(constant) EACH_ROW(prototypical_loop, constant)
    FOR_ACTIVATION(activation, LOOP)
#undef LOOP
}

INLINE VECTOR NAME(moved)(int derivative_of, VECTOR old, VECTOR preactivation, T dt, VECTOR pull, T beta,
                          int pulls, int clamp) {
    VECTOR velocity = MULTIPLY_ADD(NAME(derivative)(derivative_of, old), preactivation, -old);
    if (pulls)
        velocity = MULTIPLY_ADD(SPLAT(beta), pull, velocity);
    VECTOR new = MULTIPLY_ADD(SPLAT(dt), velocity, old);
    return clamp ? NAME(hard_sigmoid)(new) : new;
}

INLINE T NAME(real_time_loop)(int derivative_of, T dt, int clamp, const T *preactivation, const T *pull, T beta,
                              T *state, size_t count) {
    NAME(mask) largest = {0};
    const int pulls = pull != 0;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        VECTOR old = LOAD(state + i);
        VECTOR new = NAME(moved)(derivative_of, old, LOAD(preactivation + i), dt, pulls ? LOAD(pull + i) : old,
                                 beta, pulls, clamp);
        VECTOR change = new - old;
        RECORD(change);
        STORE(state + i, new);
    }
    if (i < count) {
        size_t rest = count - i;
        VECTOR old = NAME(load_part)(state + i, rest);
        VECTOR new = NAME(moved)(derivative_of, old, NAME(load_part)(preactivation + i, rest), dt,
                                 pulls ? NAME(load_part)(pull + i, rest) : old, beta, pulls, clamp);
        NAME(store_part)(state + i, new, rest);
        VECTOR change = NAME(first_lanes)(new - old, rest);
        RECORD(change);
    }
    return NAME(largest)(largest);
}

TARGET static void NAME(step_real_time)(int activation, size_t rows, size_t columns, const void *preactivation,
                                        const void *pull, double beta, double dt, int clamp, void *state,
                                        void *changes) {
#define LOOP(constant) EACH_ROW(real_time_loop, constant, dt, clamp)
    FOR_ACTIVATION(activation, LOOP)
#undef LOOP
}

#undef RECORD
#undef SIZE
#undef EACH_ROW
#undef ROW
#undef FOR_ACTIVATION
