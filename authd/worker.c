/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes that compute hashes, so that a flood of wrong passwords costs
 * nobody else's mail. Each is forked before the jail and enters one of its
 * own, where it can read its channel, compute, and answer. Their priority is
 * low: logins wait before mail does.
 */
#include "authd/authd.h"

#include <crypt.h>
#include <errno.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"

#define WORKERS_MAX 64
#define PASSWORD_MAX 1000

/* hash "": make one. */
#define WORK_ASK(F, S)                 \
    F(S, U32, is_check, 0)             \
    F(S, U32, want_keys, 0)            \
    F(S, TEXT, password, PASSWORD_MAX) \
    F(S, TEXT, hash, 255)
IPC_MESSAGE(work_ask, 0x0af0, WORK_ASK)
#define WORK_ANSWER(F, S) \
    F(S, U32, ok, 0)      \
    F(S, TEXT, hash, 255) \
    F(S, TEXT, keys, SCRAM_KEYS_TEXT)
IPC_MESSAGE(work_answer, 0x0af1, WORK_ANSWER)

struct job {
    struct list link;
    struct work *work; /* NULL: the answer is not wanted any more */
    bool is_check, want_keys;
    char password[PASSWORD_MAX + 1], hash[256];
};

struct worker {
    struct peer peer;
    int fd;
    struct job *job;
};

static struct {
    struct worker list[WORKERS_MAX];
    unsigned n;
    struct list waiting;
} workers = { .waiting = LIST_INIT(workers.waiting) };

/* --- in the worker ----------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
    size_t n = strlen(a);
    unsigned char diff = n != strlen(b);

    for (size_t i = 0; i < n && !diff; i++)
        diff |= (unsigned char)(a[i] ^ b[i]);
    return !diff;
}

/* A password that SASLprep forbids has no keys; it is good for PLAIN. */
static void make_keys(struct view password, struct buf *keys)
{
    unsigned char salt[SCRAM_SALT_LEN];
    struct scram_keys k;
    struct error err;

    if (getrandom(salt, sizeof salt, 0) == sizeof salt &&
        scram_keys_make(&k, password, salt, authd_conf.scram_iterations,
                        &err) == 0)
        scram_keys_format(keys, &k);
    explicit_bzero(&k, sizeof k);
}

static void compute(const struct work_ask *ask, struct work_answer *answer,
                    struct crypt_data *data, char *setting, struct buf *keys)
{
    char password[PASSWORD_MAX + 1], hash[256];
    const char *used, *made;
    char salt[32];

    view_copy(ask->password, password, sizeof password);
    view_copy(ask->hash, hash, sizeof hash);
    if (!ask->is_check) {
        if (getrandom(salt, sizeof salt, 0) != sizeof salt)
            return;
        if (crypt_gensalt_rn("$y$", 0, salt, sizeof salt, setting,
                             CRYPT_GENSALT_OUTPUT_SIZE) == NULL)
            return;
    }
    /* An account that is not there costs as much as one that is. */
    used = ask->is_check && hash[0] ? hash : setting;
    made = crypt_r(password, used, data);
    explicit_bzero(password, sizeof password);
    if (made == NULL || made[0] == '*') {
        if (crypt_checksalt(used) != CRYPT_SALT_INVALID)
            out_of_memory(); /* this is no wrong password */
        return;
    }
    answer->ok = ask->is_check ? hash[0] != '\0' && same_text(made, hash) : 1;
    answer->hash = ask->is_check ? VIEW("") : view_of(made);
    if (answer->ok && ask->want_keys)
        make_keys(ask->password, keys);
    answer->keys = buf_view(keys);
}

static const struct sandbox worker_jail = { .promises = 0 };

static void be_worker(int fd)
{
    static struct crypt_data data;
    char setting[CRYPT_GENSALT_OUTPUT_SIZE], salt[32];
    struct error err;
    struct ipc c;
    struct work_ask ask;
    int no_root = -1;
    unsigned got;

    if (getrandom(salt, sizeof salt, 0) != sizeof salt ||
        crypt_gensalt_rn("$y$", 0, salt, sizeof salt, setting,
                         sizeof setting) == NULL)
        log_fatal("auth: crypt(3) does not know yescrypt");
    if (scram_prepare(&err) < 0)
        log_fatal("auth: %s", err.text);
    setpriority(PRIO_PROCESS, 0, 19);
    if (sandbox_enter(&worker_jail, &no_root,
                      WALL_LANDLOCK | WALL_SECCOMP, &got, &err) < 0)
        log_warning("auth: a hash worker runs without all walls: %s",
                    err.text);
    ipc_init(&c, fd, 0);
    while (ipc_expect(&c, &work_ask_type, &ask, &err) == 0) {
        struct work_answer answer = { 0, VIEW(""), VIEW("") };
        struct buf keys = BUF_INIT;

        compute(&ask, &answer, &data, setting, &keys);
        if (c.in.data != NULL)
            explicit_bzero(c.in.data, c.in.len);
        if (ipc_send(&c, &work_answer_type, &answer, &err) < 0)
            break;
        explicit_bzero(&data, sizeof data);
        buf_wipe(&keys);
    }
    _exit(0);
}

static int start_worker(void)
{
    struct error err;
    int pair[2];
    pid_t pid;

    if (ipc_pair(pair, &err) < 0)
        log_fatal("%s", err.text);
    pid = fork();
    if (pid < 0)
        log_fatal("auth: cannot start a hash worker: %s",
                  strerrordesc_np(errno));
    if (pid == 0) {
        if (dup2(pair[1], FD_CONTROL) < 0)
            _exit(1);
        close_range(FD_CONFIG, ~0u, 0);
        be_worker(FD_CONTROL);
    }
    close(pair[1]);
    return pair[0];
}

/* The other half is for mail: a program that wakes up on a core where a hash
 * is computed may wait for a tick, whatever the priorities. */
static unsigned half_of_the_cores(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN) / 2;

    return n < 1 ? 1 : n > WORKERS_MAX ? WORKERS_MAX : (unsigned)n;
}

void workers_prepare(void)
{
    workers.n = authd_conf.auth_worker_processes;
    if (workers.n == 0)
        workers.n = half_of_the_cores();
    for (unsigned i = 0; i < workers.n; i++)
        workers.list[i].fd = start_worker();
}

/* --- in authd ---------------------------------------------------------- */

static void job_free(struct job *j)
{
    explicit_bzero(j, sizeof *j);
    free(j);
}

static void give(struct worker *w)
{
    struct work_ask ask;

    if (w->job != NULL || w->fd < 0 || list_empty(&workers.waiting))
        return;
    w->job = list_entry(workers.waiting.next, struct job, link);
    list_remove(&w->job->link);
    ask = (struct work_ask){ w->job->is_check, w->job->want_keys,
                             view_of(w->job->password),
                             view_of(w->job->hash) };
    peer_send(&w->peer, &work_ask_type, &ask);
}

static void on_answer(struct peer *p, const void *msg)
{
    const struct work_answer *a = msg;
    struct worker *w = list_entry(p, struct worker, peer);
    struct job *j = w->job;
    struct secret made;

    w->job = NULL;
    view_copy(a->hash, made.hash, sizeof made.hash);
    view_copy(a->keys, made.keys, sizeof made.keys);
    if (j != NULL && j->work != NULL)
        j->work->done(j->work, a->ok, &made);
    explicit_bzero(&made, sizeof made);
    if (j != NULL)
        job_free(j);
    give(w);
}

static const struct ipc_rule rules[] = {
    { &work_answer_type, NULL, on_answer },
    { NULL, NULL, NULL },
};

/* Master starts authd again, with new workers, when we end. */
static void on_gone(struct peer *p)
{
    log_error("auth: a hash worker ended");
    service_leave(list_entry(p->loop, struct daemon, loop));
}

void workers_start(struct daemon *d)
{
    for (unsigned i = 0; i < workers.n; i++)
        peer_init(&workers.list[i].peer, &d->loop, workers.list[i].fd,
                  "worker", 0, rules, on_gone);
}

static void enqueue(struct work *w, struct view password, const char *hash,
                    bool is_check, bool want_keys)
{
    struct job *j = alloc_zero(1, sizeof *j);

    j->work = w;
    j->is_check = is_check;
    j->want_keys = want_keys;
    view_copy(password, j->password, sizeof j->password);
    snprintf(j->hash, sizeof j->hash, "%s", hash);
    list_append(&workers.waiting, &j->link);
    for (unsigned i = 0; i < workers.n; i++)
        give(&workers.list[i]);
}

void work_check(struct work *w, struct view password, const char *hash,
                bool want_keys)
{
    enqueue(w, password, hash, true, want_keys);
}

void work_hash(struct work *w, struct view password)
{
    enqueue(w, password, "", false, auth_wants_keys());
}

void work_cancel(struct work *w)
{
    for (unsigned i = 0; i < workers.n; i++)
        if (workers.list[i].job != NULL && workers.list[i].job->work == w)
            workers.list[i].job->work = NULL;
    list_each_safe (l, &workers.waiting) {
        struct job *j = list_entry(l, struct job, link);

        if (j->work == w) {
            list_remove(l);
            job_free(j);
        }
    }
}
