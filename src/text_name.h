// SPDX-License-Identifier: MIT
// Long names of C++, short enough for a line.
#ifndef UVS_TEXT_NAME_H
#define UVS_TEXT_NAME_H

#include <stdio.h>

// Any text with names in it: of those with a namespace or a class, parameter lists are left out, and template
// arguments but for a short first one. "node::Wrap<node::TCP, uv_tcp_s>::OnRead(uv_stream_s*, long)" becomes
// "node::Wrap<node::TCP, …>::OnRead". Whatever does not look like that is printed as it is.
void uvs__print_short(FILE *out, const char *text);

#endif
