/* SPDX-License-Identifier: BSD-2-Clause */
/* Parameters that belong to the whole suite and to no one program. */
#include "config/common.h"

#include "config/config.h"

const struct param common_params[] = {
    PARAM_TEXT(common_conf, myhostname, "localhost.localdomain",
        "this host's name in the Internet; the default is what the system "
        "says"),
    PARAM_TEXT(common_conf, mydomain, "localdomain",
        "this site's domain"),
    PARAM_TEXT(common_conf, myorigin, "$myhostname",
        "the domain that mail from local programs seems to come from"),
    PARAM_TEXT(common_conf, mail_name, "Postern",
        "the name in the banner and in Received headers"),
    PARAM_TEXT(common_conf, mail_version, POSTERN_VERSION,
        "the version; it cannot be changed"),
    PARAM_TEXT_RESTART(common_conf, config_directory, CONFIG_DIRECTORY,
        "where main.cf and master.cf are"),
    PARAM_TEXT(common_conf, command_directory, "/usr/local/sbin",
        "where the commands are"),
    PARAM_TEXT(common_conf, default_database_type, "hash",
        "the type of tables that postmap and postalias are given without "
        "one"),
    PARAM_END
};
