// SPDX-License-Identifier: MIT
// The way from the runtime to libuvscope-plugins.so, if that is there.
#ifndef UVS_PLUGINS_H
#define UVS_PLUGINS_H

// `before` is called at each dlsym of the program from now on, on its thread.
typedef void uvs_watch_dlsym_t(void (*before)(void));
__attribute__((visibility("default"))) uvs_watch_dlsym_t uvs_watch_dlsym;

#endif
