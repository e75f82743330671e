// SPDX-License-Identifier: MIT
// A program that no loader touches.
int main(void)
{
    return 0;
}
