/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * imap.h - what login and imapd must agree on.
 *
 * login speaks IMAP until the client is known, answers its LOGIN or
 * AUTHENTICATE, and from then on passes bytes on to an imapd, which begins
 * silently in the authenticated state (RFC 3501 §3).
 */
#ifndef PROTO_IMAP_H
#define PROTO_IMAP_H

/* The capabilities of an authenticated session; imapd has all of them. */
#define IMAP_CAPABILITIES \
    "IMAP4rev1 LITERAL+ ID ENABLE IDLE NAMESPACE CHILDREN SPECIAL-USE " \
    "CREATE-SPECIAL-USE UIDPLUS MOVE UNSELECT CONDSTORE ESEARCH " \
    "LIST-EXTENDED LIST-STATUS STATUS=SIZE QUOTA"

/* And of one that is not: the same commands, and how to log in. */
#define IMAP_LOGIN_CAPABILITIES "IMAP4rev1 LITERAL+ SASL-IR ID ENABLE IDLE"

/* The answer to ID (RFC 2971): no version, which helps only attackers. */
#define IMAP_ID "(\"name\" \"Postern\")"

#endif
