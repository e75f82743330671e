// SPDX-License-Identifier: MIT
// What the targets share. Each is one file with LLVMFuzzerTestOneInput: linked with clang's libFuzzer it
// looks for inputs that crash, hang or leak; linked with replay.c it reads the inputs that it is given, with
// any compiler.
#ifndef UVS_FUZZ_H
#define UVS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// A directory of this process, made at the first call and removed with what fuzz_write put there at its end.
const char *fuzz_directory(void);
// Writes the file DIRECTORY/name, or makes it empty; returns its path, good until the next call for the same
// name.
const char *fuzz_write(const char *name, const uint8_t *data, size_t size);

// Where a target adds what it read, so that the compiler lets it read.
extern volatile size_t fuzz_seen;

// What an input has in front: its first byte, or 0.
uint8_t fuzz_take_byte(const uint8_t **data, size_t *size);
// As a text, the caller's.
char *fuzz_text(const uint8_t *data, size_t size);

// Makes DIRECTORY/metadata: that of the tests' own traces, or that of the one in UVS_FUZZ_TRACE.
void fuzz_write_metadata(void);

// Analyses what lies at `path` and makes its report as JSON, which must be one.
void fuzz_analyse(const char *path);

#endif
