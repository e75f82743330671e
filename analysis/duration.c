// SPDX-License-Identifier: MIT
// Nanoseconds for a person.
#include "duration.h"

#include "../probes/uvs_abi.h"

#include <inttypes.h>
#include <stdio.h>

static const struct {
    const char *name;
    uint64_t ns;
} units[] = {{"ns", 1}, {"µs", 1000}, {"ms", 1000000}, {"s", 1000000000}};
enum { UNIT_COUNT = sizeof(units) / sizeof(units[0]) };

// Rounding may carry into the next unit: 999.6 µs is "1.00 ms". Integers only, so that no locale changes it.
char *uvs_format_ns(char *buffer, size_t size, uint64_t ns)
{
    if (ns == UVS_ABSENT) {
        snprintf(buffer, size, "-");
        return buffer;
    }
    size_t i = 0;
    while (i + 1 < UNIT_COUNT && ns >= 1000 * units[i].ns - units[i].ns / 2)
        i++;
    uint64_t unit = units[i].ns;
    if (unit == 1 || ns / unit >= 100 || (ns + unit / 20) / unit >= 100) {
        uint64_t whole = ns / unit + (ns % unit >= unit - ns % unit && unit > 1);
        snprintf(buffer, size, "%" PRIu64 " %s", whole, units[i].name);
    } else if (ns / unit >= 10 || (ns + unit / 200) / unit >= 10) {
        uint64_t tenths = (ns + unit / 20) / (unit / 10);
        snprintf(buffer, size, "%" PRIu64 ".%" PRIu64 " %s", tenths / 10, tenths % 10, units[i].name);
    } else {
        uint64_t hundredths = (ns + unit / 200) / (unit / 100);
        snprintf(buffer, size, "%" PRIu64 ".%02" PRIu64 " %s", hundredths / 100, hundredths % 100,
                 units[i].name);
    }
    return buffer;
}
