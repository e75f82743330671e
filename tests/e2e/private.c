// SPDX-License-Identifier: MIT
// The ticker, from a library that has a libuv of its own and exports nothing of it.
int ticker_main(int argc, char **argv);

int main(int argc, char **argv)
{
    return ticker_main(argc, argv);
}
