/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns.h - what dnsd answers: the only program that speaks DNS.
 *
 * Spoken by smtp and smtpd. Answers are typed and bounded, never packets; many
 * questions may be asked before the first is answered, told apart by ticket.
 */
#ifndef PROTO_DNS_H
#define PROTO_DNS_H

#include "ipc/message.h"

#define DNS_NAME_MAX    255
#define DNS_RECORDS_MAX 50000 /* bytes */

enum dns_kind {
    DNS_MX,      /* records: "preference host", one a line, by preference */
    DNS_ADDRESS, /* records: numeric addresses of the families that
                    inet_protocols allows, one a line */
    DNS_PTR,     /* the name asked is a numeric address; records: names */
    DNS_TXT,     /* records: texts, their strings joined, one a line */
};

enum dns_result {
    DNS_OK,
    DNS_NONE,  /* there is no such name, or nothing of this kind at it */
    DNS_LATER, /* no answer, or a broken one: try again */
};

#define DNS_ASK(F, S)             \
    F(S, U32, ticket, 0)          \
    F(S, U32, kind, 0)            \
    F(S, TEXT, name, DNS_NAME_MAX)
IPC_MESSAGE(dns_ask, 0x0b01, DNS_ASK)

/* `text` says why when the result is not DNS_OK. */
#define DNS_ANSWER(F, S)                 \
    F(S, U32, ticket, 0)                 \
    F(S, U32, result, 0)                 \
    F(S, BLOB, records, DNS_RECORDS_MAX) \
    F(S, TEXT, text, 300)
IPC_MESSAGE(dns_answer, 0x0b02, DNS_ANSWER)

#endif
