/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit.h - what every unit test includes: cmocka and its prerequisites.
 */
#ifndef T_UNIT_H
#define T_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Compare a view, or what a buffer holds, with a C string. */
#define assert_view(v, text) \
    do { \
        struct view v_ = (v); \
        assert_int_equal(v_.len, strlen(text)); \
        assert_memory_equal(v_.len ? v_.data : "", text, v_.len); \
    } while (0)
#define assert_buf(b, text) assert_string_equal(buf_text(b), text)

#endif
