// SPDX-License-Identifier: MIT
// What somebody at a terminal sees of a trace that takes more than a second to read.
#ifndef UVS_PROGRESS_H
#define UVS_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

// "uvscope: reading: 43 %, 2.1 million events/s, 12 s left"; without per_mille (0) only the rate. Always
// terminated.
void uvs__progress_text(char *buffer, size_t size, uint64_t elapsed_ns, uint64_t read, uint32_t per_mille);

struct uvs_worker_progress;

// Rewrites the line on stderr if that is a terminal, the work takes longer than a second and is not silent.
// begin_ns: when it began. 1 if a line stands there now, 0 if not.
int uvs__progress_show(const struct uvs_worker_progress *progress, uint64_t begin_ns, uint64_t now_ns);
void uvs__progress_clear(void);

#endif
