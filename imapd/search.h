/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * search.h - SEARCH: its keys as a program, run on one message after another
 * (RFC 3501 §6.4.4, RFC 4731, RFC 7162 §3.1.5).
 *
 *     search_parse.c   keys to program
 *     search_run.c     the program on one message
 *     search_text.c    words in headers and bodies
 *     cmd_search.c     the command and its answers
 *
 * A program is in postfix order: leaves, and NOT, AND, OR behind what they
 * join. Nothing recurses. It is first run with what the index says; only if
 * that leaves the answer open, with the header, and then with the body.
 */
#ifndef IMAPD_SEARCH_H
#define IMAPD_SEARCH_H

#include "imapd/imapd.h"

#define SEARCH_DEPTH_MAX 1000 /* the most that imap_search_depth allows */

enum search_op {
    SEARCH_ALL, SEARCH_FLAGS, SEARCH_KEYWORD, SEARCH_NUMBERS, SEARCH_UIDS,
    SEARCH_LARGER, SEARCH_SMALLER, SEARCH_BEFORE, SEARCH_ON, SEARCH_SINCE,
    SEARCH_MODSEQ,
    /* leaves that need the header */
    SEARCH_SENTBEFORE, SEARCH_SENTON, SEARCH_SENTSINCE, SEARCH_HEADER,
    /* leaves that need the body */
    SEARCH_TEXT, SEARCH_BODY,
    /* not leaves */
    SEARCH_NOT, SEARCH_AND, SEARCH_OR,
};

struct search_node {
    enum search_op op;
    uint32_t mask, value;  /* FLAGS: (flags & mask) == value */
    uint64_t number;       /* LARGER, SMALLER, MODSEQ */
    int64_t day;           /* dates */
    struct view name;      /* HEADER: the field; KEYWORD: its name */
    uint64_t keyword;      /* KEYWORD: its bit, once it is known */
    struct buf needle;     /* HEADER, TEXT, BODY: folded UTF-8 */
    struct imap_set set;   /* NUMBERS, UIDS */
    bool found;            /* TEXT, BODY: in the message at hand */
};

struct search {
    struct search_node *nodes;
    size_t n, cap;
    struct view charset;
    bool bad_charset;      /* it is none that we know; the keys were not read */
    bool uses_modseq, uses_text;
};

/* Parse the keys, "CHARSET x " before them. search_release() in any case. */
bool search_parse(struct imap_args *a, unsigned depth, struct search *p);
void search_release(struct search *p);

/* Fit the program to the mailbox: what "*" and keywords stand for. */
void search_bind(struct search *p, struct mailbox *m);

/* Does message `index` match? 1, 0 (also when it is gone), -1. */
int search_match(struct search *p, struct mailbox *m, size_t index,
                 struct error *err);

/* --- search_text.c ----------------------------------------------------- */

/* Is the needle in the text of a header, decoded: of the fields called `name`,
 * or, with an empty name, of all? */
bool search_header(struct view header, struct view name, struct view needle);

/* The day that the Date field names; false if there is none. */
bool search_sent_day(struct view header, int64_t *day);

/* Set found of each TEXT and BODY node whose needle is in the body of the
 * message in `fd`. */
int search_body(struct search *p, int fd, uint64_t len, struct error *err);

#endif
