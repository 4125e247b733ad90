/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * internal.h - what the pieces of lib/config share.
 */
#ifndef CONFIG_INTERNAL_H
#define CONFIG_INTERNAL_H

#include "base/map.h"

struct entry {
    struct map_node node; /* by name */
    char *name, *value, *where;
    unsigned times;       /* set again this often */
};

struct config {
    struct map entries;
};

#endif
