/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * service_params.h - the parameters that every daemon has.
 */
#ifndef SERVICE_SERVICE_PARAMS_H
#define SERVICE_SERVICE_PARAMS_H

#include "config/param.h"

struct service_conf {
    bool sandbox_required;
    char *sandbox_walls;
    unsigned ipc_timeout;  /* seconds */
    unsigned max_use;      /* clients */
};

extern const struct param service_params[];

#endif
