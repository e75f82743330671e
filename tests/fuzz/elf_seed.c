// SPDX-License-Identifier: MIT
// Functions, one of them inlined twice, for the ELF target: linked without the C library, to be small.
static volatile int sink;

static inline __attribute__((always_inline)) void innermost(int value)
{
    sink += value;
}

static inline __attribute__((always_inline)) void inner(int value)
{
    innermost(value + 1);
}

void outer(int value);
void other(void);

void outer(int value)
{
    inner(value);
    other();
}

void other(void)
{
    sink = 0;
}
