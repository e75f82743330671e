// SPDX-License-Identifier: MIT
// What of a report is shown: which rows, in which order, how many. The report says so itself (report->shown).
#ifndef UVS_SHOWN_H
#define UVS_SHOWN_H

#include "report.h"

struct uvs_filter;

// Terms that must all hold, separated by spaces: KEY=WORD[,WORD…], KEY!=WORD[,…], KEY~REGEX, KEY!~REGEX, with
// the keys pid, process, loop, kind and site. 0, or -UVS_E_USAGE with what is wrong and which keys there are.
int uvs_filter_create(const char *text, struct uvs_filter **ret_filter, struct uvs_error *error);
void uvs_filter_destroy(struct uvs_filter *filter);

// Drops the rows for which a term does not hold. A term leaves the rows that cannot have what it is about: a
// pool has no kind. Of a loop's worst blocks those stay that hold a function for which the terms hold; of
// chains those with such a step. 0, or -UVS_E_ENVIRONMENT.
int uvs_filter_apply(const struct uvs_filter *filter, struct uvs_report *report, struct uvs_error *error);

// The key is "name", a metric of `check` such as callback.delay.max, or one without its first word: delay.max
// is then for all lists that have it. Others keep their order; a distribution alone means its maximum. 0, or
// -UVS_E_USAGE with the keys that it may have been meant to be; report NULL: only looks whether there is such
// a key. Largest first, unknown last; names in the alphabet's order.
int uvs_report_sort(struct uvs_report *report, const char *key, struct uvs_error *error);

// At most so many rows of each list; 0: all of them. Slices are of the loops and pools that are left, at most 24 of
// each; of the worst blocks as many stay as loops, the longest of all loops. What was asked for is the caller's to write into
// report->shown.
void uvs_report_shorten(struct uvs_report *report, const size_t most[UVS_LIST_COUNT], size_t most_requests);

#endif
