/* SPDX-License-Identifier: BSD-2-Clause */
/* What is odd in a main.cf but no error. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/ascii.h"
#include "config/config.h"
#include "config/foreign.h"
#include "config/internal.h"

#define NAME_MAX_COMPARED 64
#define NEAREST_MAX       100 /* names that a nearest one is looked for */

struct warning {
    struct map used;   /* words that values speak of */
    unsigned n_unknown;
    void (*say)(const char *sentence, void *arg);
    void *arg;
};

/* --- the nearest name -------------------------------------------------- */

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned ab = a < b ? a : b;

    return ab < c ? ab : c;
}

/* How many letters must be changed, added or left out (Levenshtein). */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[NAME_MAX_COMPARED + 1];
    size_t len = strlen(b);

    if (len > NAME_MAX_COMPARED || strlen(a) > NAME_MAX_COMPARED)
        return NAME_MAX_COMPARED;
    for (unsigned i = 0; i <= len; i++)
        row[i] = i;
    for (; *a != '\0'; a++) {
        unsigned diagonal = row[0]++;

        for (size_t i = 1; i <= len; i++) {
            unsigned above = row[i];

            row[i] = least(above + 1, row[i - 1] + 1,
                           diagonal + (*a != b[i - 1]));
            diagonal = above;
        }
    }
    return row[len];
}

const char *param_nearest(const char *name)
{
    unsigned best = 4; /* more than three letters is another word */
    const char *found = NULL;

    for (const struct param_table *t = param_tables; t->program != NULL; t++) {
        for (const struct param *p = t->params; p->name != NULL; p++) {
            unsigned d = distance(name, p->name);

            if (d < best) {
                best = d;
                found = p->name;
            }
        }
    }
    return found;
}

/* --- names that the site made up --------------------------------------- */

static bool is_word_char(char c)
{
    return ascii_is_alnum(c) || c == '_' || c == '-';
}

/* A word that some value speaks of; the key is in that value. */
struct used {
    struct map_node node;
};

static void use(struct map *used, struct view word)
{
    struct used *u = alloc_zero(1, sizeof *u);

    u->node.key = word;
    if (!map_add(used, &u->node))
        free(u);
}

/* Note the names that a value has as $name, ${name} or, as a restriction
 * class, name. */
static void note_words(struct map_node *n, void *arg)
{
    const struct entry *e = map_entry(n, struct entry, node);
    struct warning *w = arg;
    bool all = strcmp(e->name, "smtpd_restriction_classes") == 0;

    for (const char *at = e->value; *at != '\0';) {
        size_t len = 0;

        while (is_word_char(at[len]))
            len++;
        if (len > 0 &&
            (all || (at > e->value && strchr("${(", at[-1]) != NULL)))
            use(&w->used, (struct view){ at, len });
        at += len > 0 ? len : 1;
    }
}

static void forget_words(struct map *used)
{
    struct map_node *n;

    while ((n = map_any(used)) != NULL) {
        map_remove(used, n);
        free(map_entry(n, struct used, node));
    }
}

/* --- the warnings ------------------------------------------------------ */

static void say(struct warning *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void say(struct warning *w, const char *fmt, ...)
{
    char text[1000];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    w->say(text, w->arg);
}

static void check_name(struct warning *w, const struct entry *e)
{
    const char *why, *near;

    if (param_find(view_of(e->name)) != NULL)
        return;
    if (foreign_name(e->name, &why)) {
        if (why != NULL && e->value[0] != '\0')
            say(w, "%s: %s has no effect: %s", e->where, e->name, why);
        return;
    }
    if (map_find(&w->used, view_of(e->name)) != NULL)
        return;
    /* Who has so many has another program's file. */
    near = w->n_unknown++ < NEAREST_MAX ? param_nearest(e->name) : NULL;
    say(w, "%s: %s: unknown parameter%s%s%s", e->where, e->name,
        near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

static void check_entry(struct map_node *n, void *arg)
{
    const struct entry *e = map_entry(n, struct entry, node);
    struct warning *w = arg;
    const char *hash = strstr(e->value, " #");

    check_name(w, e);
    if (e->times > 0)
        say(w, "%s: %s is set %u times; this is the one that counts",
            e->where, e->name, e->times + 1);
    if (hash != NULL)
        say(w, "%s: %s: the text behind # is part of the value; comments "
            "stand on lines of their own", e->where, e->name);
}

void config_warn(const struct config *cfg,
                 void (*say_it)(const char *sentence, void *arg), void *arg)
{
    struct warning w = { .say = say_it, .arg = arg };

    map_each(&cfg->entries, note_words, &w);
    map_each(&cfg->entries, check_entry, &w);
    forget_words(&w.used);
}
