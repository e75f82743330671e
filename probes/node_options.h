// SPDX-License-Identifier: MIT
// The names of JavaScript functions cost Node.js two options (UVS_NODE_OPTIONS), which do not go with
// snapshots of the heap: up to version 20 one that was made without them is refused, and later versions crash
// when they start from one that was made with them.
#ifndef UVS_NODE_OPTIONS_H
#define UVS_NODE_OPTIONS_H

// From the constructor: Node reads its environment in main. Does nothing where the arguments name no
// snapshot.
void uvs__keep_snapshots_plain(int argc, char *const *argv);

// From the constructor, of a process whose libuv is hooked, which a Node.js that does not know the options
// never is: where `record` could not see that its program is going to start Node.js, as of a shell. Other
// programs' environment stays as it is.
void uvs__ask_for_names(int argc, char *const *argv);

#endif
