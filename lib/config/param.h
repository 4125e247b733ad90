/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * param.h - parameters, each declared once as a row of a typed table.
 *
 * A daemon keeps its table in <program>/params.c and its values in one struct;
 * field, parameter and manual entry share one name, so that one search finds
 * all of it. postconf, main.cf(5) and the checks are made from the same rows.
 *
 *     struct qmgr_conf {
 *         unsigned minimal_backoff_time;
 *         char *relayhost;
 *     };
 *
 *     const struct param qmgr_params[] = {
 *         PARAM_TIME(qmgr_conf, minimal_backoff_time, "300s", "1s", "7d",
 *             "wait this long before the second try of a delivery"),
 *         PARAM_TEXT(qmgr_conf, relayhost, "",
 *             "send all mail for other sites to this host; empty: use MX"),
 *         PARAM_END
 *     };
 *
 * A field of another type than the row's does not compile. The same parameter
 * may stand in several programs' tables, with the same type, default and
 * range (a unit test compares them).
 */
#ifndef CONFIG_PARAM_H
#define CONFIG_PARAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/view.h"

enum param_type {
    PARAM_TYPE_TEXT,   /* char *, owned by the struct, never NULL */
    PARAM_TYPE_BOOL,   /* bool: yes, no */
    PARAM_TYPE_UINT,   /* unsigned */
    PARAM_TYPE_TIME,   /* unsigned, seconds: 30s 5m 4h 1d 1w; bare: seconds */
    PARAM_TYPE_SIZE,   /* uint64_t, bytes: bare, or with k, M, G */
    PARAM_TYPE_CHOICE, /* unsigned: the place of the word in `min` */
};

/* What must happen before a changed value is used. */
enum param_change {
    PARAM_RELOAD,  /* "postern reload" */
    PARAM_RESTART, /* "postern stop" and "postern start" */
};

struct param {
    const char *name; /* NULL ends a table */
    enum param_type type;
    size_t offset;    /* of the field in the program's struct */
    const char *def;  /* as written in main.cf; $name is expanded */
    const char *min;  /* lowest value; for a choice: "word word ..." */
    const char *max;  /* highest value */
    const char *doc;  /* one sentence in lower case, no full stop */
    enum param_change change;
};

/* The field's place; a field of another type does not compile. */
#define PARAM_AT(s, f, T) \
    (offsetof(struct s, f) + _Generic(((struct s *)0)->f, T: 0))

#define PARAM_TEXT(s, f, def, doc) \
    { #f, PARAM_TYPE_TEXT, PARAM_AT(s, f, char *), def, NULL, NULL, doc, \
      PARAM_RELOAD }
#define PARAM_BOOL(s, f, def, doc) \
    { #f, PARAM_TYPE_BOOL, PARAM_AT(s, f, bool), def, NULL, NULL, doc, \
      PARAM_RELOAD }
#define PARAM_UINT(s, f, def, min, max, doc) \
    { #f, PARAM_TYPE_UINT, PARAM_AT(s, f, unsigned), def, min, max, doc, \
      PARAM_RELOAD }
#define PARAM_TIME(s, f, def, min, max, doc) \
    { #f, PARAM_TYPE_TIME, PARAM_AT(s, f, unsigned), def, min, max, doc, \
      PARAM_RELOAD }
#define PARAM_SIZE(s, f, def, min, max, doc) \
    { #f, PARAM_TYPE_SIZE, PARAM_AT(s, f, uint64_t), def, min, max, doc, \
      PARAM_RELOAD }
#define PARAM_CHOICE(s, f, def, words, doc) \
    { #f, PARAM_TYPE_CHOICE, PARAM_AT(s, f, unsigned), def, words, NULL, doc, \
      PARAM_RELOAD }

/* The same for a text that only a restart changes. */
#define PARAM_TEXT_RESTART(s, f, def, doc) \
    { #f, PARAM_TYPE_TEXT, PARAM_AT(s, f, char *), def, NULL, NULL, doc, \
      PARAM_RESTART }
#define PARAM_UINT_RESTART(s, f, def, min, max, doc) \
    { #f, PARAM_TYPE_UINT, PARAM_AT(s, f, unsigned), def, min, max, doc, \
      PARAM_RESTART }
#define PARAM_BOOL_RESTART(s, f, def, doc) \
    { #f, PARAM_TYPE_BOOL, PARAM_AT(s, f, bool), def, NULL, NULL, doc, \
      PARAM_RESTART }

#define PARAM_END \
    { NULL, PARAM_TYPE_TEXT, 0, NULL, NULL, NULL, NULL, PARAM_RELOAD }

/* One program's table. The list of all of them, ended by a NULL program, is
 * made by the build from every <program>/params.c (see cmake/params.cmake). */
struct param_table {
    const char *program;
    const struct param *params;
};
extern const struct param_table param_tables[];

/* The known name that is most like `name`, or NULL when none is. */
const char *param_nearest(const char *name);

/* The first row named `name` in any table, or NULL. */
const struct param *param_find(struct view name);

#endif
