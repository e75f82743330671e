// SPDX-License-Identifier: MIT
// The loop is there before the runtime's own constructor has run.

int constructor_library_run(void);

int main(void)
{
    return constructor_library_run();
}
