/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * foreign.h - parameters of Postfix that have no effect here.
 *
 * A site's main.cf is not full of mistakes because it was written for
 * Postfix; but what it relied on there and does not get here must be said.
 */
#ifndef CONFIG_FOREIGN_H
#define CONFIG_FOREIGN_H

#include <stdbool.h>

/* Is `name` such a parameter? *why: what a site that sets it misses, or NULL
 * when it misses nothing. */
bool foreign_name(const char *name, const char **why);

#endif
