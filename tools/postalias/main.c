/* SPDX-License-Identifier: BSD-2-Clause */
/* postalias - make, change and ask alias tables. */
#include "table/mapcmd.h"

static const struct mapcmd postalias = {
    .program = "postalias",
    .aliases = true,
    .separator = ":\t",
};

int main(int argc, char **argv)
{
    return mapcmd_main(&postalias, argc, argv);
}
