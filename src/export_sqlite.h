// SPDX-License-Identifier: MIT
// The database's shape: what SQL there is beside the inserts.
#ifndef UVS_EXPORT_SQLITE_H
#define UVS_EXPORT_SQLITE_H

extern const char *const uvs__sqlite_views; // and indexes, which are made when the tables are full

#endif
