// SPDX-License-Identifier: MIT
// What a rule can compare with.
#include "rule_parse.h"

#include <math.h>

static bool less(double value, double limit)
{
    return value < limit;
}

static bool less_equal(double value, double limit)
{
    return value <= limit;
}

static bool greater(double value, double limit)
{
    return value > limit;
}

static bool greater_equal(double value, double limit)
{
    return value >= limit;
}

// Exact: the limit was written by a person, the figure is an integer of its unit or a ratio.
static bool equal(double value, double limit)
{
    return !less(value, limit) && !greater(value, limit);
}

static bool not_equal(double value, double limit)
{
    return !equal(value, limit);
}

static double above(double value, double limit)
{
    return value - limit;
}

static double below(double value, double limit)
{
    return limit - value;
}

static double apart(double value, double limit)
{
    return fabs(value - limit);
}

static double together(double value, double limit)
{
    return -fabs(value - limit);
}

// Longer names first, so that `<=` is not read as `<`.
const struct uvs__operator uvs__operators[UVS__OPERATOR_COUNT] = {
    {"<=", less_equal, above},   {">=", greater_equal, below}, {"==", equal, apart},
    {"!=", not_equal, together}, {"<", less, above},           {">", greater, below},
};
