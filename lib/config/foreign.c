/* SPDX-License-Identifier: BSD-2-Clause */
/* Names that main.cf files of Postfix sites have and Postern does not use. */
#include "config/foreign.h"

#include <string.h>

#include "base/view.h"

/* Names whose value makes no difference here: where Postfix's own files are,
 * how it debugs, what is always as a careful site sets it. */
static const char *const harmless[] = {
    "allow_min_user", "anvil_rate_time_unit",
    "append_dot_mydomain", "authorized_flush_users", "authorized_mailq_users",
    "authorized_submit_users", "biff", "bounce_notice_recipient",
    "broken_sasl_auth_clients", "compatibility_level",
    "cyrus_sasl_config_path", "debug_peer_level", "debug_peer_list",
    "debugger_command", "default_privs", "enable_long_queue_ids",
    "enable_original_recipient", "error_notice_recipient",
    "export_environment", "html_directory", "import_environment",
    "mail_owner", "mail_spool_directory", "mailq_path", "manpage_directory",
    "meta_directory", "mynetworks_style", "newaliases_path",
    "notify_classes", "proxy_read_maps", "readme_directory",
    "sample_directory", "sendmail_path", "setgid_group", "shlib_directory",
    "show_user_unknown_table_name", "smtp_tls_ciphers",
    "smtp_tls_exclude_ciphers", "smtp_tls_loglevel",
    "smtp_tls_mandatory_ciphers", "smtp_tls_mandatory_protocols",
    "smtp_tls_note_starttls_offer", "smtp_tls_protocols",
    "smtp_tls_session_cache_database", "smtpd_delay_reject",
    "smtpd_forbid_bare_newline", "smtpd_forbid_unauth_pipelining",
    "smtpd_sasl_authenticated_header", "smtpd_sasl_local_domain",
    "smtpd_sasl_path", "smtpd_sasl_security_options",
    "smtpd_sasl_tls_security_options", "smtpd_sasl_type",
    "smtpd_tls_ask_ccert", "smtpd_tls_ciphers", "smtpd_tls_dh1024_param_file",
    "smtpd_tls_dh512_param_file", "smtpd_tls_eecdh_grade",
    "smtpd_tls_exclude_ciphers", "smtpd_tls_loglevel",
    "smtpd_tls_mandatory_ciphers", "smtpd_tls_mandatory_exclude_ciphers",
    "smtpd_tls_mandatory_protocols", "smtpd_tls_protocols",
    "smtpd_tls_received_header", "smtpd_tls_session_cache_database",
    "smtpd_tls_session_cache_timeout", "strict_rfc821_envelopes",
    "swap_bangpath", "tls_high_cipherlist", "tls_medium_cipherlist",
    "tls_preempt_cipherlist", "tls_random_source", "tls_ssl_options",
    "unknown_local_recipient_reject_code", "virtual_gid_maps",
    "virtual_minimum_uid", "virtual_uid_maps",
};

/* Names that change what happens to mail elsewhere and nothing here. */
static const struct {
    const char *name, *why;
} missed[] = {
    { "body_checks", "message bodies are not filtered" },
    { "canonical_maps", "addresses are not rewritten" },
    { "content_filter", "mail is not filtered" },
    { "header_checks", "headers are not filtered" },
    { "home_mailbox", "mail goes to virtual_mailbox_base" },
    { "mailbox_command", "mail goes to virtual_mailbox_base" },
    { "mailbox_size_limit", "quotas are set with \"postern user set\"" },
    { "mailbox_transport", "mail goes to virtual_mailbox_base" },
    { "milter_default_action", "there are no milters" },
    { "mime_header_checks", "headers are not filtered" },
    { "non_smtpd_milters", "there are no milters" },
    { "recipient_bcc_maps", "no copies are made" },
    { "recipient_canonical_maps", "addresses are not rewritten" },
    { "sender_bcc_maps", "no copies are made" },
    { "sender_canonical_maps", "addresses are not rewritten" },
    { "smtp_enforce_tls", "set smtp_tls_security_level = encrypt" },
    { "smtp_sasl_auth_enable", "mail is sent to other servers without a "
      "login" },
    { "smtp_use_tls", "set smtp_tls_security_level = may" },
    { "smtpd_data_restrictions", "only smtpd_client_restrictions and "
      "smtpd_relay_restrictions are applied" },
    { "smtpd_enforce_tls", "set smtpd_tls_security_level = encrypt" },
    { "smtpd_helo_restrictions", "only smtpd_client_restrictions and "
      "smtpd_relay_restrictions are applied" },
    { "smtpd_milters", "there are no milters" },
    { "smtpd_recipient_restrictions", "only smtpd_client_restrictions and "
      "smtpd_relay_restrictions are applied" },
    { "smtpd_sender_restrictions", "only smtpd_client_restrictions and "
      "smtpd_relay_restrictions are applied" },
    { "smtpd_use_tls", "set smtpd_tls_security_level = may" },
    { "soft_bounce", "undeliverable mail is bounced" },
    { "virtual_mailbox_limit", "quotas are set with \"postern user set\"" },
    { "virtual_transport", "mail of accounts is delivered by local" },
};

bool foreign_name(const char *name, const char **why)
{
    *why = NULL;
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
        if (strcmp(harmless[i], name) == 0)
            return true;
    for (size_t i = 0; i < sizeof missed / sizeof *missed; i++) {
        if (strcmp(missed[i].name, name) == 0) {
            *why = missed[i].why;
            return true;
        }
    }
    if (strncmp(name, "milter_", 7) == 0) {
        *why = "there are no milters";
        return true;
    }
    if (strncmp(name, "postscreen_", 11) == 0) {
        *why = "there is no postscreen";
        return true;
    }
    return false;
}
