// SPDX-License-Identifier: MIT
// Where recordings live: the directory that `record` makes, and the newest one for those who read.
//
// Recordings without -o go to $UVSCOPE_TRACES, else to ~/uvscope-traces; there the symlink `latest` points to
// the newest recording, wherever that one is.
#ifndef UVS_TRACE_DIR_H
#define UVS_TRACE_DIR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "../analysis/error.h"

struct uvs_trace_dir {
    char *path;   // absolute
    bool created; // by us: the directory itself goes when the recording does not come to be
};

// The place of recordings without -o, which need not exist yet. *ret_path is the caller's (free).
int uvs__trace_dir_default(char **ret_path, struct uvs_error *error);

// wanted: -o's DIR (must not exist, or be empty), or NULL: PROGRAM-YYYYmmdd-HHMMSS in the default place. Mode
// 0700. Absolute even where `wanted` is relative.
int uvs__trace_dir_create(const char *wanted, const char *program, struct uvs_trace_dir *ret_dir,
                          struct uvs_error *error);
// Removes what is in it, and the directory if it was created.
void uvs__trace_dir_abandon(const struct uvs_trace_dir *dir);
void uvs__trace_dir_clear(struct uvs_trace_dir *dir);

// Points `latest` to it; false when that could not be done.
bool uvs__trace_dir_link_latest(const struct uvs_trace_dir *dir);

// Bytes of the files below it, and of the largest of them (NULL: not asked for).
uint64_t uvs__trace_dir_size(const struct uvs_trace_dir *dir, uint64_t *ret_largest);

// Whether the oldest part of a trace of files that go around has been overwritten.
bool uvs__trace_dir_overwritten(const struct uvs_trace_dir *dir);

enum {
    UVS_ROOM_TO_START = 16 << 20, // the first second of a busy program, in which LTTng writes the metadata too
    UVS_ROOM_TO_GO_ON = 1 << 20,  // a packet
};

// Whether so many bytes more could be written there: 0, or errno (ENOSPC, EDQUOT, EROFS, ENOENT…).
int uvs__trace_dir_refusal(const struct uvs_trace_dir *dir, off_t room);

// Removes a directory and everything below it; symlinks are not followed.
void uvs__remove_tree(const char *path);

// The newest recording, for report and check without TRACE: *ret_path is the caller's (free). -UVS_E_TRACE
// when there is none.
int uvs_newest_trace(char **ret_path, struct uvs_error *error);

#endif
