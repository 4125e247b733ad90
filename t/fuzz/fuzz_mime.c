/* SPDX-License-Identifier: BSD-2-Clause */
/* MIME: any bytes have a tree, a structure, and parts that can be decoded. */
#include "mail/bodystructure.h"
#include "mail/decode.h"
#include "mail/mime.h"
#include "t/fuzz/fuzz.h"

static void check_part(const struct mime *m, const struct mime_part *p,
                       struct view text)
{
    const struct mime_part *parent = p->parent < 0 ? p
                                                   : &m->parts[p->parent];
    struct view body = view_sub(text, p->body_offset,
                                p->body_offset + p->body_len);
    struct buf out = BUF_INIT;
    struct decode d;

    MUST(p->body_offset == p->header_offset + p->header_len);
    MUST(p->body_offset + p->body_len <= text.len);
    MUST(p->body_offset + p->body_len <=
         parent->body_offset + parent->body_len);
    MUST((p->child >= 0) == (p->kind != MIME_LEAF));
    MUST(p->body_bare <= p->body_lines);
    decode_start(&d, decode_kind_of(mime_text(m, p->encoding)));
    decode_add(&d, body, &out);
    decode_end(&d, &out);
    MUST(out.len <= body.len);
    mime_param(m, p->type_params, "charset", &out);
    mime_param(m, p->disposition_params, "filename", &out);
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct view text = { (const char *)data, len };
    struct mime_source src = mime_source_memory(text);
    struct mime_limits limits = MIME_LIMITS_DEFAULT;
    struct bodystructure_range range;
    struct buf b = BUF_INIT;
    struct error err;
    struct mime m;

    limits.depth = 5;
    limits.parts = 50;
    limits.header = 4000;
    limits.field = 1000;
    limits.params = 8;
    MUST(mime_parse(&m, &src, limits, &err) == 0);
    MUST(m.parts_count >= 1 && m.parts_count <= 50);
    MUST(m.parts[0].header_len + m.parts[0].body_len == len);
    MUST(m.steps <= 16 * len + 16);
    for (size_t i = 0; i < m.parts_count; i++)
        check_part(&m, &m.parts[i], text);
    bodystructure_format(&b, &m, true);
    bodystructure_envelope(&b, &m, &m.parts[0]);
    if (len > 0)
        bodystructure_find(&m, view_sub(text, 0, data[0]), &range);
    MUST(bodystructure_find(&m, VIEW("1"), &range) == SECTION_BYTES);
    buf_release(&b);
    mime_release(&m);
    return 0;
}
