// SPDX-License-Identifier: MIT
// A parsed rule.
#ifndef UVS_RULE_PARSE_H
#define UVS_RULE_PARSE_H

#include "figure.h"

struct uvs__operator {
    const char *name;
    bool (*holds)(double value, double limit);
    // How far on the wrong side of the limit, negative on the right one: the figure with the most decides.
    double (*excess)(double value, double limit);
};

enum { UVS__OPERATOR_COUNT = 6 };
extern const struct uvs__operator uvs__operators[UVS__OPERATOR_COUNT];

struct uvs__term {
    const struct uvs__metric *metric;
    struct uvs__selection selection; // its site points to `site`
    regex_t site;
};

struct uvs_rule {
    char *text;
    struct uvs__term value, divisor; // the divisor's metric is NULL: there is none
    enum uvs__unit unit;             // of the figure that is compared
    const struct uvs__operator *comparison;
    double limit;
    bool or_none;
};

#endif
