/* SPDX-License-Identifier: BSD-2-Clause */
/* What is odd in a main.cf but no error. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/ascii.h"
#include "config/config.h"
#include "config/foreign.h"
#include "config/internal.h"

#define NAME_MAX_COMPARED 64

struct warning {
    const struct config *cfg;
    const char *name; /* is_used(): looked for */
    bool found;
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

/* Does the value speak of $name, ${name} or, as a restriction class, name? */
static void look(struct map_node *n, void *arg)
{
    const struct entry *e = map_entry(n, struct entry, node);
    struct warning *w = arg;
    size_t len = strlen(w->name);

    for (const char *at = e->value; (at = strstr(at, w->name)) != NULL;
         at += len) {
        bool begins = at == e->value || !is_word_char(at[-1]);
        bool is_dollar = at > e->value && strchr("${(", at[-1]) != NULL;

        if (begins && !is_word_char(at[len]) &&
            (is_dollar || strcmp(e->name, "smtpd_restriction_classes") == 0))
            w->found = true;
    }
}

static bool is_used(struct warning *w, const char *name)
{
    w->name = name;
    w->found = false;
    map_each(&w->cfg->entries, look, w);
    return w->found;
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

    if (param_find(e->name) != NULL)
        return;
    if (foreign_name(e->name, &why)) {
        if (why != NULL && e->value[0] != '\0')
            say(w, "%s: %s has no effect: %s", e->where, e->name, why);
        return;
    }
    if (is_used(w, e->name))
        return;
    near = param_nearest(e->name);
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
    struct warning w = { .cfg = cfg, .say = say_it, .arg = arg };

    map_each(&cfg->entries, check_entry, &w);
}
