/* SPDX-License-Identifier: BSD-2-Clause */
/* What other programs of the suite could be had to do. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/directory.h"
#include "proto/notify.h"
#include "proto/resolve.h"
#include "proto/sign.h"
#include "redteam.h"

#define WAIT_MS 20000
#define PAD     64 /* bytes in front of what TLS has signed */

static struct ipc *master(void)
{
    static struct ipc c;

    if (c.timeout_ms == 0)
        ipc_init(&c, FD_CONTROL, WAIT_MS);
    return &c;
}

int redteam_join(const char *service)
{
    struct control_connect ask = { 99, view_of(service),
                                   VIEW("ann@one.example") };
    struct control_joined j = { .fd = -1 };
    struct ipc_packet p;
    struct error err;

    if (ipc_send(master(), &control_connect_type, &ask, &err) < 0)
        return -1;
    /* Master has other news as well: files for logd, a look at the door. */
    for (;;) {
        if (ipc_recv(master(), &p, &err) <= 0) {
            snprintf(redteam_how, sizeof redteam_how, "%.150s", err.text);
            return -1;
        }
        if (ipc_id(p.bytes) == control_joined_type.id)
            break;
        ipc_packet_release(&p);
    }
    if (ipc_packet_decode(&p, &control_joined_type, &j, &err) < 0)
        return -1;
    snprintf(redteam_how, sizeof redteam_how, "%.*s",
             (int)(j.why.len < 150 ? j.why.len : 150),
             j.why.data ? j.why.data : "");
    return j.fd;
}

/* Ask master for a program that this role may not join. */
static bool reach_join(struct daemon *d, const char *target)
{
    (void)d;
    return redteam_join(target) >= 0;
}

/* Ask for each of them, and say who was had: the test knows who should be. It
 * counts as had what master refused for another reason than who asked. */
static bool reach_joins(struct daemon *d, const char *targets)
{
    struct view rest = view_of(targets), word;
    struct buf had = BUF_INIT;

    (void)d;
    while (view_word(&rest, ",", &word)) {
        char service[65];
        int fd;

        if (!view_copy(word, service, sizeof service))
            continue;
        fd = redteam_join(service);
        if (fd >= 0)
            close(fd);
        else if (strcmp(redteam_how, "that is not for you to join") == 0 ||
                 strcmp(redteam_how, "only authd starts sessions") == 0)
            continue;
        buf_addf(&had, " %s", service);
    }
    snprintf(redteam_how, sizeof redteam_how, "had:%.1000s", buf_text(&had));
    buf_release(&had);
    return false;
}

/* Start a session, as authd may: for a uid that is not a tenant's. */
static bool reach_session(struct daemon *d, const char *target)
{
    struct control_session s = { .role = VIEW("imapd"),
                                 .tenant = VIEW("t"), .account = VIEW("a@b"),
                                 .uid = 0, .path = view_of(target),
                                 .session = VIEW("x"), .fd = -1 };
    struct ipc_packet p;
    struct error err;
    struct ipc c;
    int pair[2];

    (void)d;
    if (ipc_pair(pair, &err) < 0)
        return redteam_no("socketpair");
    s.fd = pair[1];
    if (ipc_send(master(), &control_session_type, &s, &err) < 0)
        return false;
    close(pair[1]);
    ipc_init(&c, pair[0], WAIT_MS);
    if (ipc_recv(&c, &p, &err) == 0) {
        snprintf(redteam_how, sizeof redteam_how,
                 "the session was closed unserved");
        return false;
    }
    return true;
}

/* --- keyd -------------------------------------------------------------- */

/* Texts that no TLS server has signed, each of which a key that signs what it
 * is given would sign. */
struct text {
    const char *context; /* NULL: random bytes */
    size_t hash;         /* bytes behind it */
    unsigned pad;        /* spaces before it */
};

static const struct text texts[] = {
    { "TLS 1.3, client CertificateVerify", 32, PAD },
    { "TLS 1.3, server CertificateVerify", 20, PAD },
    { "TLS 1.3, server CertificateVerify", 33, PAD },
    { "TLS 1.3, server CertificateVerify", 0, PAD },
    { "TLS 1.3, server CertificateVerify", 32, PAD - 1 },
    { "TLS 1.3, server CertificateVerify", 32, PAD + 1 },
    { "TLS 1.3, server certificateVerify", 32, PAD },
    { "TLS 1.3, server CertificateVerify ", 32, PAD },
    { "from:ann@one.example\r\ndkim-signature:v=1; d=one.example; bh=", 44,
      0 },
    { "", 32, 0 }, /* bare hashes */
    { "", 48, 0 },
    { "", 20, 0 },
    { NULL, 0, 0 },
};

static size_t make_text(const struct text *t, unsigned seed, char *out)
{
    size_t n = t->pad;

    memset(out, ' ', n);
    if (t->context[0] != '\0') {
        memcpy(out + n, t->context, strlen(t->context) + 1);
        n += strlen(t->context) + (t->pad > 0);
    }
    for (size_t i = 0; i < t->hash; i++)
        out[n + i] = (char)((seed + i) * 73);
    return n + t->hash;
}

/* Bytes of any length and value, not in the shape of ECDHE parameters by more
 * than chance. */
static size_t make_random(unsigned *state, char *out)
{
    size_t n;

    *state = *state * 1103515245 + 12345;
    n = *state >> 16 & 511;
    for (size_t i = 0; i < n; i++) {
        *state = *state * 1103515245 + 12345;
        out[i] = (char)(*state >> 16);
    }
    if (n > PAD && (*state & 1))
        out[PAD] = 3; /* named_curve: nearly */
    return n;
}

/* Was it signed? 0 no, 1 yes, -1 keyd hung up. */
static int ask_signature(struct ipc *line, uint64_t key, const char *digest,
                         struct view text)
{
    struct sign_ask q = { key, SIGN_PLAIN, view_of(digest), text };
    struct sign_answer a;
    struct error err;

    if (ipc_call(line, &sign_ask_type, &q, &sign_answer_type, &a, &err) < 0)
        return -1;
    return a.signature.len > 0;
}

/* Have keyd sign what is no handshake of a TLS server. */
static bool reach_sign(struct daemon *d, const char *target)
{
    struct cert_ask who = { VIEW("") };
    struct cert_answer cert = { .key = 0 };
    struct error err;
    struct ipc line;
    char text[SIGN_TEXT_MAX + 600] = "";
    unsigned asked = 0, state = 1;
    uint64_t times = 0;
    int fd = redteam_join("keyd"), signed_ones = 0;

    (void)d;
    view_number(view_of(target), 100000, &times);
    if (fd < 0)
        return false;
    ipc_init(&line, fd, WAIT_MS);
    /* Of a program that may not ask, keyd takes nothing at all. */
    if (ipc_call(&line, &cert_ask_type, &who, &cert_answer_type, &cert,
                 &err) < 0)
        return false;
    for (const struct text *t = texts; t->context != NULL; t++, asked++)
        signed_ones += ask_signature(
            &line, cert.key, "SHA2-256",
            (struct view){ text, make_text(t, asked, text) }) == 1;
    for (; asked < times; asked++)
        signed_ones += ask_signature(
            &line, cert.key, asked % 8 ? "SHA2-256" : "SHA1",
            (struct view){ text, make_random(&state, text) }) == 1;
    snprintf(redteam_how, sizeof redteam_how, "%u asked, %d signed, %zu bytes "
             "of chain", asked, signed_ones, cert.chain.len);
    return signed_ones > 0 || cert.chain.len == 0;
}

/* --- others ------------------------------------------------------------ */

/* Put a message into the queue under somebody else's name. */
static bool reach_submit(struct daemon *d, const char *target)
{
    struct mail_begin b = { .sender = VIEW("bob@one.example"),
                            .account = VIEW("bob@one.example") };
    struct mail_rcpt to = { .address = VIEW("ann@one.example") };
    struct mail_reply r = { .code = 0 };
    struct error err;
    struct ipc line;
    int fd = redteam_join(target);

    (void)d;
    if (fd < 0)
        return false;
    ipc_init(&line, fd, WAIT_MS);
    if (ipc_send(&line, &mail_begin_type, &b, &err) < 0 ||
        ipc_call(&line, &mail_rcpt_type, &to, &mail_reply_type, &r, &err) < 0)
        return false;
    snprintf(redteam_how, sizeof redteam_how, "answered %u", r.code);
    return r.code / 100 == 2;
}

/* Read a table that is another program's: passwords of relays, say. */
static bool reach_table(struct daemon *d, const char *target)
{
    struct map_ask q = { view_of(target), VIEW("x") };
    struct map_answer a = { .result = RESOLVE_UNKNOWN };
    struct error err;
    struct ipc line;
    int fd = redteam_join("mapd");

    (void)d;
    if (fd < 0)
        return false;
    ipc_init(&line, fd, WAIT_MS);
    if (ipc_call(&line, &map_ask_type, &q, &map_answer_type, &a, &err) < 0) {
        snprintf(redteam_how, sizeof redteam_how, "%.150s", err.text);
        return false;
    }
    snprintf(redteam_how, sizeof redteam_how, "result %u", a.result);
    return a.result == RESOLVE_OK;
}

/* Ask authd's directory, which is for mapd. */
static bool reach_directory(struct daemon *d, const char *target)
{
    struct directory_ask q = { view_of(target) };
    struct directory_answer a;
    struct error err;
    struct ipc line;
    int fd = redteam_join("authd");

    (void)d;
    if (fd < 0)
        return false;
    ipc_init(&line, fd, WAIT_MS);
    if (ipc_call(&line, &directory_ask_type, &q, &directory_answer_type, &a,
                 &err) < 0) {
        snprintf(redteam_how, sizeof redteam_how, "%.150s", err.text);
        return false;
    }
    return true;
}

/* --- frames that make no sense ------------------------------------------ */

#define FRAMES 60 /* a program */

/* The first is one byte; others have the id of a message that exists, and what
 * comes behind it is chance, or have nothing to do with one. */
static size_t make_frame(unsigned n, unsigned *state, char *out)
{
    static const uint16_t ids[] = {
        0x0101, 0x01f0, 0x0201, 0x0202, 0x0203, 0x0301, 0x0401, 0x0403,
        0x0405, 0x0501, 0x0502, 0x0503, 0x0601, 0x0603, 0x0701, 0x0702,
        0x0801, 0x0a01, 0x0a02, 0x0a10, 0x0b01, 0x0b02, 0x0c01, 0x0c03,
    };
    uint16_t id = ids[n % (sizeof ids / sizeof *ids)];
    size_t len = make_random(state, out) + 1;

    if (n == 0)
        return 1;
    if (n % 3 != 0) {
        memcpy(out, &id, sizeof id);
        out[2] = (char)(n % 12); /* how many fields */
        out[3] = 0;
    }
    return n == 1 ? IPC_MESSAGE_MAX : len;
}

/* Send one; true when the other end neither hung up nor answered. */
static bool is_ignored(int fd, unsigned n, unsigned *state)
{
    static char frame[IPC_MESSAGE_MAX];
    size_t len = make_frame(n, state, frame);
    int sent[1] = { n % 5 == 0 ? STDERR_FILENO : -1 };
    struct ipc_packet p;
    struct error err;
    struct ipc c;
    bool ignored;

    ipc_init(&c, fd, WAIT_MS);
    ipc_send_raw(fd, (struct view){ frame, len }, sent, sent[0] >= 0, 0);
    ignored = ipc_recv(&c, &p, &err) < 0 && err.sys == ETIMEDOUT;
    ipc_release(&c);
    return ignored;
}

/* Have a program fail by what is said to it. */
static bool garble_one(struct daemon *d, const char *service)
{
    unsigned state = 7;

    (void)d;
    for (unsigned n = 0; n < FRAMES; n++) {
        int fd = redteam_join(service);

        if (fd >= 0 && is_ignored(fd, n, &state))
            return true;
    }
    return false;
}

static bool reach_garble(struct daemon *d, const char *targets)
{
    return redteam_any(d, targets, garble_one);
}

/* The same with master, over our one channel to it. */
static bool reach_garble_master(struct daemon *d, const char *target)
{
    unsigned state = 7;
    uint64_t n = 0;

    (void)d;
    view_number(view_of(target), FRAMES, &n);
    return is_ignored(FD_CONTROL, (unsigned)n, &state);
}

const struct goal suite_goals[] = {
    { "join", reach_join },     { "joins", reach_joins },
    { "session", reach_session }, { "sign", reach_sign },
    { "submit", reach_submit }, { "table", reach_table },
    { "directory", reach_directory }, { "garble", reach_garble },
    { "garble-master", reach_garble_master },
    { NULL, NULL },
};
