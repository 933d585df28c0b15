#include "byte_reader.h"

#include <float.h>
#include <math.h>

#define COUNT(array) ((int64_t)(sizeof(array) / sizeof(array)[0]))

/* Bytes from first_rare on select something rare. Numbers from first_negative on are negative. */
static const uint8_t first_rare = 0xf0, first_negative = 0xc0;

uint8_t next_byte(byte_reader *in) {
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->next++;
}

int64_t choose(byte_reader *in, int64_t count) { return next_byte(in) % count; }

bool rarely(byte_reader *in) { return next_byte(in) >= first_rare; }

static const int64_t extreme_counts[] = {
    0, -1, INT64_MIN, INT64_MAX, INT64_MAX / 8 + 1, INT32_MIN, (int64_t)INT32_MAX + 1, (int64_t)1 << 32,
};

int64_t any_count(byte_reader *in, int64_t highest) {
    uint8_t byte = next_byte(in);
    return byte < first_rare ? 1 + byte % highest : extreme_counts[(byte - first_rare) % COUNT(extreme_counts)];
}

int64_t any_index(byte_reader *in, int64_t count) {
    uint8_t byte = next_byte(in);
    return byte < first_rare ? byte % count : extreme_counts[(byte - first_rare) % COUNT(extreme_counts)];
}

double any_number(byte_reader *in) {
    static const double extreme[] = {
        0.0,    -0.0,    NAN,   INFINITY, -INFINITY, DBL_MAX, -DBL_MAX, DBL_MIN,
        5e-324, FLT_MAX, -1e39, 1e-46,    1e19,      -1e-8,   1e6,      1e200,
    };
    uint8_t byte = next_byte(in);
    if (byte >= first_rare)
        return extreme[(byte - first_rare) % COUNT(extreme)];
    return byte < first_negative ? (byte + 1) / 64.0 : (first_negative - 1 - byte) / 16.0;
}
