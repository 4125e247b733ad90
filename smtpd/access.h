/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * access.h - who may speak to us, and send where.
 */
#ifndef SMTPD_ACCESS_H
#define SMTPD_ACCESS_H

#include "smtpd/smtpd.h"

enum verdict { PERMIT, REJECT, DEFER };

/* Is the address in mynetworks? */
bool access_in_networks(const char *networks, const char *address);

/* May this client speak to us at all (smtpd_client_restrictions)? */
enum verdict access_client(const struct smtp_session *s);

/* May it send to a recipient of this class (smtpd_relay_restrictions)? */
enum verdict access_relay(const struct smtp_session *s,
                          enum resolve_class class);

/* Check the words of the restriction parameters. */
int access_check(const struct smtpd_conf *conf, struct error *err);

#endif
