/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mapmake.h - make and change hash: and btree: tables from text: the work of
 * postmap, postalias and newaliases (sendmail -bi).
 *
 * "hash:/etc/postern/access" is made from the text /etc/postern/access and
 * becomes /etc/postern/access.db (dbfile.h). Bad lines are skipped with a
 * warning. Run by root, the work on a file that belongs to somebody else is
 * done with that owner's rights, and root's are taken back afterwards.
 *
 * Errors:   a table that cannot be made is left as it was.
 * Blocking: everything waits for the disk and for the table's lock.
 */
#ifndef TABLE_MAPMAKE_H
#define TABLE_MAPMAKE_H

#include "table/table.h"

#define MAPMAKE_TEXT_MAX (1u << 30) /* bytes of source text */

enum mapmake_duplicates {
    MAPMAKE_WARN,    /* the old entry stays, with a warning */
    MAPMAKE_REPLACE, /* the new one wins, silently (-r) */
    MAPMAKE_IGNORE,  /* the old entry stays, silently (-w) */
};

struct mapmake {
    bool aliases;         /* lines are "name: values", not "key value" */
    unsigned flags;       /* enum table_flag */
    bool no_nul;          /* store keys and values without NUL (-n) */
    bool default_mode;    /* 0644, whatever the source's mode is (-p) */
    bool keep_privileges; /* do not take the owner's place (-o) */
    enum mapmake_duplicates duplicates;
    void (*warn)(const char *sentence, void *arg); /* NULL: log */
    void *arg;
};

/* Make the table `spec` ("type:path") new from its text. */
int mapmake_build(const struct mapmake *m, const char *spec,
                  struct error *err);

/* Put the lines of `text` into the table, which need not exist; `what` names
 * the text in warnings. */
int mapmake_add(const struct mapmake *m, const char *spec, struct view text,
                const char *what, struct error *err);

/* Remove `count` keys from the table: how many were there, or -1. */
int mapmake_delete(const struct mapmake *m, const char *spec,
                   const struct view *keys, size_t count, struct error *err);

#endif
