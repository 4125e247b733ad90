/* SPDX-License-Identifier: BSD-2-Clause */
/* postmap - make, change and ask lookup tables. */
#include "table/mapcmd.h"

static const struct mapcmd postmap = {
    .program = "postmap",
    .aliases = false,
    .separator = "\t",
};

int main(int argc, char **argv)
{
    return mapcmd_main(&postmap, argc, argv);
}
