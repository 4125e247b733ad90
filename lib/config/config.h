/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config.h - main.cf: names and values, and how a program gets its own.
 *
 * The syntax is Postfix's, whole: "name = value"; a line that begins with
 * white space continues the one before; empty lines and lines whose first
 * visible character is # are skipped, also between continuations; $name,
 * ${name}, $(name), ${name?text}, ${name:text}, ${name?{text}:{text}} and
 * ${name?{a}:{b}} with nesting and the comparisons ${{a} == {b} ? {x} : {y}}
 * are expanded when a value is read, never stored expanded. A name set twice
 * keeps the last value and warns.
 *
 * Life:      config_parse, config_override (any number), config_load for the
 *            program's table, config_unload, config_free.
 * Ownership: the handle owns copies of all text. Values put into a struct by
 *            config_load belong to the struct until config_unload.
 * Errors:    sentences name file, line, parameter and a remedy. Everything
 *            wrong here is FAIL_PERM.
 * Blocking:  none does, but config_read for the file.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "base/buf.h"
#include "base/error.h"
#include "config/param.h"

#define CONFIG_FILE_MAX (4u << 20) /* bytes of main.cf or master.cf */
#define CONFIG_DEPTH_MAX 50        /* nested $name */
#define CONFIG_TEXTS_MAX 10000     /* $name in one value, nested ones too */
#define CONFIG_VALUE_MAX 262144    /* bytes of one expanded value */

struct config;

/* Parse the text of a main.cf; `file` is its name for messages. */
int config_parse(struct config **cfg, struct view text, const char *file,
                 struct error *err);

#define CONFIG_DIRECTORY "/etc/postern"

/* Where main.cf and master.cf are: where a command's option says (NULL: it
 * does not), else where the environment's POSTERN_CONFIG does, else in
 * CONFIG_DIRECTORY. */
const char *config_directory(const char *option);

/* The same from the file `path`. */
int config_read(struct config **cfg, const char *path, struct error *err);

/* Set "name=value" or "{ name = value }" on top, as `-o` does. */
int config_override(struct config *cfg, struct view setting, const char *where,
                    struct error *err);

/* The text as written for `name`, or NULL when it is not set; where it was
 * set, as "file, line N", in `*where` if that is not NULL. Borrowed. */
const char *config_raw(const struct config *cfg, struct view name,
                       const char **where);

/* Append to `out` the value of `name` with all $ expanded: what was set, else
 * the default of the parameter tables. A name that is neither is FAIL_PERM. */
int config_get(const struct config *cfg, const char *name, struct buf *out,
               struct error *err);

/* Expand the $ in `text` into `out`. */
int config_expand(const struct config *cfg, struct view text, struct buf *out,
                  struct error *err);

/* Fill `conf` from its table; on error nothing in it needs unloading. */
int config_load(const struct config *cfg, const struct param *params,
                void *conf, struct error *err);

/* Free the texts that config_load put into `conf`. */
void config_unload(const struct param *params, void *conf);

/* Call `say` once for each thing that is odd but no error: unknown names with
 * the nearest known one, names set twice, a # after a value. A name that some
 * value refers to, or that is a restriction class, is not unknown. */
void config_warn(const struct config *cfg,
                 void (*say)(const char *sentence, void *arg), void *arg);

/* Call `say` once for each value, of the parameters of all programs, that its
 * row does not allow. */
void config_check(const struct config *cfg,
                  void (*say)(const char *sentence, void *arg), void *arg);

/* Call `fn` for each name that is set, in the order of names. */
void config_each(const struct config *cfg,
                 void (*fn)(const char *name, const char *value, void *arg),
                 void *arg);

/* Free the handle; *cfg becomes NULL. */
void config_free(struct config **cfg);

/* Parse one value as a row's type says, into the field at `field`; the value
 * is already expanded. `where` is for the sentence. A text is copied. */
int param_parse(const struct param *p, const char *value, void *field,
                const char *where, struct error *err);

#endif
