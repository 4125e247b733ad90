/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * common.h - the parameters of the whole suite.
 */
#ifndef CONFIG_COMMON_H
#define CONFIG_COMMON_H

#include "config/param.h"

struct common_conf {
    char *myhostname, *mydomain, *myorigin, *mail_name, *mail_version;
    char *config_directory, *command_directory;
    char *default_database_type;
};

extern const struct param common_params[];

#endif
