/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * commands.h - the commands of a session, each in a file cmd_*.c.
 *
 * One takes its arguments from `a` and then says one of imap_ok(), imap_no()
 * and imap_bad(); if it says nothing, its arguments were wrong and a->bad is
 * the client's BAD. The reply is sent after the changes that others made were
 * told.
 */
#ifndef IMAPD_COMMANDS_H
#define IMAPD_COMMANDS_H

#include "imapd/imapd.h"

typedef void imap_command(struct imap_session *s, struct imap_args *a);

imap_command imap_cmd_capability, imap_cmd_noop, imap_cmd_logout, imap_cmd_id,
    imap_cmd_enable, imap_cmd_namespace, imap_cmd_select, imap_cmd_examine,
    imap_cmd_check, imap_cmd_close, imap_cmd_unselect, imap_cmd_expunge,
    imap_cmd_create, imap_cmd_delete, imap_cmd_rename, imap_cmd_subscribe,
    imap_cmd_unsubscribe, imap_cmd_list, imap_cmd_lsub, imap_cmd_status,
    imap_cmd_append, imap_cmd_search, imap_cmd_fetch, imap_cmd_store,
    imap_cmd_copy, imap_cmd_move, imap_cmd_idle, imap_cmd_getquota,
    imap_cmd_getquotaroot, imap_cmd_setquota;

#endif
