/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * params.h - the parameters of master.
 */
#ifndef MASTER_PARAMS_H
#define MASTER_PARAMS_H

#include "config/param.h"

struct master_conf {
    char *queue_directory, *daemon_directory, *data_directory;
    char *virtual_mailbox_base, *maillog_file;
    char *smtpd_tls_chain_files, *smtpd_tls_cert_file, *smtpd_tls_key_file;
    char *inet_interfaces, *inet_protocols;
    char *syslog_name, *access_syslog_name;
    char *sandbox_walls;
    bool sandbox_required;
    unsigned default_process_limit;
    unsigned role_uid_base, tenant_uid_base;
    unsigned max_idle, service_throttle_time; /* seconds */
    unsigned reload_timeout, stop_timeout;
};

extern const struct param master_params[];

#endif
