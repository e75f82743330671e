// SPDX-License-Identifier: MIT
// The limits of a process (ulimit) that LTTng's daemons inherit from `record`.
#ifndef UVS_LIMITS_H
#define UVS_LIMITS_H

#include <stdbool.h>
#include <stdint.h>
#include "../analysis/error.h"

// Fails when one of them is so low that nothing would be recorded; LTTng itself would not say so.
int uvs__limits_check(struct uvs_error *error);

// A file of this size has no room for another packet under `ulimit -f`.
bool uvs__limits_near(uint64_t file_bytes);

// In the daemon: each as high as it may be.
void uvs__limits_raise(void);

#endif
