// SPDX-License-Identifier: MIT
// One line that is written over and over.
#include "progress.h"

#include "worker.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum { LINE_SIZE = 128 };

static const uint64_t patience_ns = 1000000000, second_ns = 1000000000;

static int add_rate(char *buffer, size_t size, double per_second)
{
    if (per_second >= 1e6)
        return snprintf(buffer, size, ", %.1f million events/s", per_second / 1e6);
    return snprintf(buffer, size, ", %.0f thousand events/s", per_second / 1e3);
}

void uvs__progress_text(char *buffer, size_t size, uint64_t elapsed_ns, uint64_t read, uint32_t per_mille)
{
    char share[16] = "", rate[48] = "", left[32] = "";
    const double elapsed_s = (double)elapsed_ns / (double)second_ns;
    if (per_mille)
        snprintf(share, sizeof(share), ": %" PRIu32 " %%", per_mille / 10);
    if (read && elapsed_ns)
        add_rate(rate, sizeof(rate), (double)read / elapsed_s);
    if (per_mille && per_mille < 1000)
        snprintf(left, sizeof(left), ", %.0f s left", elapsed_s * (1000 - per_mille) / per_mille);
    snprintf(buffer, size, "uvscope: reading%s%s%s", share, rate, left);
}

int uvs__progress_show(const struct uvs_worker_progress *progress, uint64_t begin_ns, uint64_t now_ns)
{
    char line[LINE_SIZE];
    if (now_ns - begin_ns < patience_ns || atomic_load(&progress->silent) || !isatty(STDERR_FILENO))
        return 0;
    uvs__progress_text(line, sizeof(line), now_ns - begin_ns, atomic_load(&progress->read),
                       atomic_load(&progress->per_mille));
    fprintf(stderr, "\r%s\x1b[K", line);
    return 1;
}

void uvs__progress_clear(void)
{
    fputs("\r\x1b[K", stderr);
}
