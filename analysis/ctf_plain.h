// SPDX-License-Identifier: MIT
// Taking events that lie in a trace as this version writes them: without looking at each field's description.
#ifndef UVS_CTF_PLAIN_H
#define UVS_CTF_PLAIN_H

#include "ctf_layout.h"

// NULL: the event has strings or sequences, or not the fields of ours, or lies otherwise.
uvs__ctf_take_function *uvs__ctf_plain(const struct uvs__ctf_event *event);

#endif
