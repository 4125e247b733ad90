/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main.cf: parsed, expanded, checked and loaded. What is expanded is bounded,
 * in size and in the work it takes; a text written from what was read says the
 * same.
 */
#include "config/config.h"

#include "base/ascii.h"
#include "t/fuzz/fuzz.h"

static void say_nothing(const char *sentence, void *arg)
{
    (void)arg;
    MUST(sentence[0] != '\0');
}

static void expand(const char *name, const char *value, void *arg)
{
    const struct config *cfg = arg;
    struct buf got = BUF_INIT, expanded = BUF_INIT;
    struct error err;
    int rc = config_get(cfg, name, &got, &err);

    MUST(got.len <= 2 * CONFIG_VALUE_MAX);
    MUST((config_expand(cfg, view_of(value), &expanded, &err) == 0) ==
         (rc == 0));
    MUST(view_eq(buf_view(&got), buf_view(&expanded)));
    buf_release(&got);
    buf_release(&expanded);
}

static void write_out(const char *name, const char *value, void *arg)
{
    buf_addf(arg, "%s = %s\n", name, value);
}

/* A value keeps the line ends of no continuation, so one line will do. */
static void write_again(const struct config *cfg)
{
    struct buf text = BUF_INIT, again = BUF_INIT;
    struct config *second;
    struct error err;

    config_each(cfg, write_out, &text);
    if (text.len <= CONFIG_VALUE_MAX) {
        MUST(config_parse(&second, buf_view(&text), "again", &err) == 0);
        config_each(second, write_out, &again);
        MUST(view_eq(buf_view(&text), buf_view(&again)));
        config_free(&second);
    }
    buf_release(&text);
    buf_release(&again);
}

/* Bytes of a struct that has these fields. */
static size_t size_of(const struct param *params)
{
    size_t size = 0;

    for (const struct param *p = params; p->name != NULL; p++)
        if (p->offset + 8 > size)
            size = p->offset + 8;
    return size;
}

/* One program's; the next input has another's. */
static void load(const struct config *cfg, size_t which)
{
    const struct param_table *t = param_tables;
    struct error err;
    size_t n = 0;
    void *conf;

    while (t[n].program != NULL)
        n++;
    t += which % n;
    conf = calloc(1, size_of(t->params) + 1);
    if (config_load(cfg, t->params, conf, &err) == 0)
        config_unload(t->params, conf);
    else
        MUST(err.kind == FAIL_PERM && err.text[0] != '\0');
    free(conf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view text = fuzz_text(data, len), last = text, line;
    struct config *cfg;
    struct error err;

    if (config_parse(&cfg, text, "main.cf", &err) < 0) {
        MUST(cfg == NULL && err.text[0] != '\0');
        return 0;
    }
    while (view_cut(&last, '\n', &line))
        config_override(cfg, line, "here", &err);
    config_each(cfg, expand, cfg);
    config_warn(cfg, say_nothing, NULL);
    write_again(cfg);
    load(cfg, len);
    config_free(&cfg);
    return 0;
}
