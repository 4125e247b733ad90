/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LMDB. Its own mutex and lock are never waited for: whoever writes, or opens
 * it, has an OFD lock of ours first, and waits for that with a deadline. A lock
 * of a process that died is gone with it; one of a process that is stopped
 * holds up nobody for longer.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crc.h"
#include "base/io.h"
#include "base/log.h"
#include "index/internal.h"

#define DIRECTORY   "index"
#define SET_ASIDE   "index.damaged"
#define LOCK        "index.lock"
#define MARK        "damaged" /* in it: do not trust it any more */
#define MAP_SIZE    (64ull << 30)
#define READERS_MAX 1022
#define LOCK_STEP_MS 2
#define ASIDE_MAX   100

/* Also for those who open it after us. */
static void mark_damaged(struct store *s)
{
    int fd = openat(s->dir, DIRECTORY "/" MARK,
                    O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    s->damaged = true;
    io_close(&fd);
}

/* Without a limit only a page number that makes no sense is too far out. */
static bool is_limited;

void env_prepare(void)
{
    struct rlimit limit;

    is_limited = getrlimit(RLIMIT_FSIZE, &limit) == 0 &&
                 limit.rlim_cur != RLIM_INFINITY;
}

/* Of what the system refuses (numbers above 0) only that tells of damage which
 * says that something else stands in a file's place; another index would be
 * refused the rest the same, and lack the keywords and UIDs of this one. Nor is
 * it damage that something is full, or that LMDB gave up its environment. */
static bool is_damage(int rc)
{
    switch (rc) {
    case EISDIR:
    case ENOTDIR:
    case ELOOP:
    case ENXIO:
    case ENODEV:
    case EINVAL:
    case EACCES:
    case EPERM: return true;
    case EFBIG: return !is_limited;
    case MDB_READERS_FULL:
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
    case MDB_PANIC: return false;
    default: return rc < 0;
    }
}

/* s->damaged: nothing more can be had of it as it is opened now. While it is
 * opened that is no mark: mend() has to find the same (half a read is none). */
static int refused(struct store *s, int rc, const char *doing,
                   struct error *err)
{
    if (is_damage(rc) || rc == MDB_PANIC)
        s->damaged = true;
    error_set(err, FAIL_TEMP, "index of %s: %s: %s", s->o.account, doing,
              mdb_strerror(rc));
    if (rc > 0)
        err->sys = rc;
    return -1;
}

static int failed(struct store *s, int rc, const char *doing,
                  struct error *err)
{
    if (is_damage(rc))
        mark_damaged(s);
    return refused(s, rc, doing, err);
}

int txn_damaged(struct txn *t, const char *what, struct error *err)
{
    mark_damaged(t->s);
    return error_set(err, FAIL_TEMP, "index of %s: %s makes no sense; it will "
                     "be made anew", t->s->o.account, what);
}

/* --- the end by a signal ----------------------------------------------- */

/* LMDB trusts what it maps. Bytes that were changed below it can end us by a
 * signal (never by SIGKILL, which means nothing); then the next session must
 * not trust them again. A signal handler can know this only from here. */
static volatile int guarded = -1; /* the account's directory */

static void on_crash(int signal_number)
{
    if (guarded >= 0)
        (void)openat(guarded, DIRECTORY "/" MARK,
                     O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    raise(signal_number); /* not caught again: the end, without a return */
}

static void guard(int dir)
{
    static const int signals[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };
    struct sigaction how = { .sa_handler = dir >= 0 ? on_crash : SIG_DFL,
                             .sa_flags = SA_NODEFER | SA_RESETHAND };

    guarded = dir;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &how, NULL);
}

/* --- the locks --------------------------------------------------------- */

/* Each is a byte of the file. */
enum lock { TO_WRITE, TO_OPEN };

static int lock(struct store *s, enum lock which, struct error *err)
{
    uint64_t end = clock_mono_ms() + s->o.lock_ms;
    struct flock how = { .l_type = F_WRLCK, .l_start = which, .l_len = 1 };

    while (fcntl(s->lock, F_OFD_SETLK, &how) < 0) {
        struct timespec step = { 0, LOCK_STEP_MS * 1000000 };

        if (errno != EAGAIN && errno != EACCES && errno != EINTR)
            return error_sys(err, "cannot lock the index");
        if (clock_mono_ms() >= end)
            return error_set(err, FAIL_TEMP, "another session holds the "
                             "index of %s for more than %u ms", s->o.account,
                             s->o.lock_ms);
        nanosleep(&step, NULL);
    }
    return 0;
}

static void unlock(struct store *s, enum lock which)
{
    struct flock how = { .l_type = F_UNLCK, .l_start = which, .l_len = 1 };

    fcntl(s->lock, F_OFD_SETLK, &how);
}

/* --- opening ----------------------------------------------------------- */

/* A file that is shorter than its own pages would be our end by SIGBUS. 0, or
 * -1, when s->damaged says that it is. */
static int check_length(struct store *s, struct error *err)
{
    MDB_envinfo info;
    MDB_stat st;
    struct stat file;
    int fd;

    mdb_env_info(s->env, &info);
    mdb_env_stat(s->env, &st);
    if (mdb_env_get_fd(s->env, &fd) != 0 || fstat(fd, &file) < 0)
        return error_sys(err, "cannot look at the index");
    if ((uint64_t)file.st_size >= (uint64_t)(info.me_last_pgno + 1) *
                                      st.ms_psize)
        return 0;
    s->damaged = true;
    return error_set(err, FAIL_TEMP, "the index is cut short");
}

static int open_tables(struct store *s, bool create, struct error *err)
{
    static const char *const names[DB_COUNT] = { "box", "msg", "fact", "gone",
                                                 "sub", "move" };
    struct txn t;
    int rc = 0;

    if (txn_begin(s, create, &t, err) < 0)
        return -1;
    for (int i = 0; i < DB_COUNT && rc == 0; i++)
        rc = mdb_dbi_open(t.t, names[i], create ? MDB_CREATE : 0,
                          &s->dbi[i]);
    if (rc == 0)
        return txn_commit(&t, err);
    txn_abort(&t);
    if (rc == MDB_NOTFOUND && !create)
        return open_tables(s, true, err);
    return refused(s, rc, "opening its tables", err);
}

/* LMDB maps as much as one of the two first pages says that there is, and when
 * that cannot be had, the error is the one of a machine that lacks memory. No
 * index of ours says more than MAP_SIZE. (LMDB 0.9's format: the size of a page
 * is 40 bytes into it, the number of the last one 136.) */
static bool claims_too_much(const struct store *s)
{
    long place = sysconf(_SC_PAGESIZE);
    int fd = openat(s->dir, DIRECTORY "/data.mdb",
                    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool does = false;

    for (int i = 0; i < 2 && fd >= 0; i++) {
        uint64_t last, bytes;
        uint32_t page;

        if (pread(fd, &page, sizeof page, i * place + 40) == sizeof page &&
            pread(fd, &last, sizeof last, i * place + 136) == sizeof last)
            does |= __builtin_mul_overflow(last, page, &bytes) ||
                    bytes > MAP_SIZE;
    }
    io_close(&fd);
    return does;
}

/* LMDB locks its file and a mutex while it opens, and while it notes a process
 * for its first reading. */
static int open_env(struct store *s, const char *path, struct error *err)
{
    MDB_txn *first;
    int rc, dead;

    if (lock(s, TO_OPEN, err) < 0)
        return -1;
    rc = mdb_env_open(s->env, path, MDB_NOTLS | MDB_NORDAHEAD, 0600);
    if (rc != 0) {
        if (rc == ENOMEM && claims_too_much(s))
            rc = MDB_CORRUPTED;
        rc = refused(s, rc, "opening it", err);
    } else if ((rc = check_length(s, err)) == 0) {
        mdb_reader_check(s->env, &dead);
        if (mdb_txn_begin(s->env, NULL, MDB_RDONLY, &first) == 0)
            mdb_txn_abort(first);
    }
    unlock(s, TO_OPEN);
    return rc;
}

static int open_once(struct store *s, struct error *err)
{
    char path[300];
    struct stat mark;

    if (mkdirat(s->dir, DIRECTORY, 0700) < 0 && errno != EEXIST)
        return error_sys(err, "cannot make the directory index");
    if (fstatat(s->dir, DIRECTORY "/" MARK, &mark, 0) == 0) {
        s->damaged = true;
        return error_set(err, FAIL_TEMP, "the index is marked as damaged");
    }
    if (errno != ENOENT && !is_damage(errno)) /* LMDB will say if it is */
        return error_sys(err, "cannot look at the index");
    snprintf(path, sizeof path, "%s/" DIRECTORY, s->o.path ? s->o.path : ".");
    if (mdb_env_create(&s->env) != 0)
        return error_set(err, FAIL_TEMP, "no memory for the index");
    mdb_env_set_mapsize(s->env, MAP_SIZE);
    mdb_env_set_maxreaders(s->env, READERS_MAX);
    mdb_env_set_maxdbs(s->env, DB_COUNT);
    if (open_env(s, path, err) < 0)
        return -1;
    return open_tables(s, false, err);
}

void env_close(struct store *s)
{
    guard(-1);
    if (s->env != NULL)
        mdb_env_close(s->env);
    s->env = NULL;
    io_close(&s->lock);
}

/* Is it the one that others open now? Not if it was set aside meanwhile. */
int env_check(struct store *s, struct error *err)
{
    struct stat ours, theirs = { .st_ino = 0 };
    int fd;

    if (mdb_env_get_fd(s->env, &fd) != 0 || fstat(fd, &ours) < 0 ||
        (fstatat(s->dir, DIRECTORY "/data.mdb", &theirs, 0) < 0 &&
         errno != ENOENT && errno != ENOTDIR))
        return error_sys(err, "cannot look at the index");
    if (ours.st_ino == theirs.st_ino)
        return 0;
    s->damaged = true;
    return error_set(err, FAIL_TEMP, "the index of %s was made anew",
                     s->o.account);
}

int store_set_aside(struct store *s, const char *from, const char *to,
                    char aside[ASIDE_SIZE], struct error *err)
{
    snprintf(aside, ASIDE_SIZE, "%s", to);
    for (unsigned n = 1; renameat(s->dir, from, s->dir, aside) < 0; n++) {
        if ((errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR) ||
            n > ASIDE_MAX)
            return error_sys(err, "cannot move %s out of the way", from);
        snprintf(aside, ASIDE_SIZE, "%s.%u", to, n);
    }
    return 0;
}

/* Put the index out of the way; the last one that was is removed for it. */
static int set_aside(struct store *s, struct error *err)
{
    static const char *const files[] = { "data.mdb", "lock.mdb", MARK };
    char path[100], aside[ASIDE_SIZE];

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, SET_ASIDE "/%s", files[i]);
        unlinkat(s->dir, path, 0);
    }
    unlinkat(s->dir, SET_ASIDE, AT_REMOVEDIR);
    if (store_set_aside(s, DIRECTORY, SET_ASIDE, aside, err) < 0)
        return -1;
    log_error("%s: the index was damaged; it is set aside as %s and made anew "
              "from the files", s->o.account, aside);
    return 0;
}

/* Open it, or tell by s->damaged that it must not be trusted. */
static int try_open(struct store *s, struct error *err)
{
    s->damaged = false;
    if (open_once(s, err) == 0)
        return 0;
    if (s->env != NULL)
        mdb_env_close(s->env);
    s->env = NULL;
    return -1;
}

/* Of all who find it damaged, the first to have the lock sets it aside. */
static int mend(struct store *s, struct error *err)
{
    int rc;

    if (lock(s, TO_WRITE, err) < 0)
        return -1;
    rc = try_open(s, err);
    if (rc < 0 && s->damaged && set_aside(s, err) == 0)
        rc = try_open(s, err);
    unlock(s, TO_WRITE);
    return rc;
}

int env_open(struct store *s, struct error *err)
{
    s->lock = openat(s->dir, LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
                     0600);
    if (s->lock < 0)
        return error_sys(err, "cannot open " LOCK);
    guard(s->dir);
    if (try_open(s, err) == 0 || (s->damaged && mend(s, err) == 0))
        return 0;
    env_close(s);
    return -1;
}

/* --- transactions ------------------------------------------------------ */

int txn_begin(struct store *s, bool writes, struct txn *t, struct error *err)
{
    int rc;

    *t = (struct txn){ .s = s, .writes = writes };
    if (s->damaged)
        return error_set(err, FAIL_TEMP, "the index of %s was damaged",
                         s->o.account);
    if (writes && lock(s, TO_WRITE, err) < 0)
        return -1;
    if (writes && env_check(s, err) < 0) {
        unlock(s, TO_WRITE);
        return -1;
    }
    rc = mdb_txn_begin(s->env, NULL, writes ? 0 : MDB_RDONLY, &t->t);
    if (rc == 0)
        return 0;
    if (writes)
        unlock(s, TO_WRITE);
    return failed(s, rc, "beginning", err);
}

int txn_commit(struct txn *t, struct error *err)
{
    int rc = mdb_txn_commit(t->t);

    t->t = NULL;
    if (t->writes)
        unlock(t->s, TO_WRITE);
    return rc == 0 ? 0 : failed(t->s, rc, "writing", err);
}

void txn_abort(struct txn *t)
{
    if (t->t == NULL)
        return;
    mdb_txn_abort(t->t);
    t->t = NULL;
    if (t->writes)
        unlock(t->s, TO_WRITE);
}

int txn_end(struct txn *t, int rc, struct error *err)
{
    if (rc == 0)
        return txn_commit(t, err);
    txn_abort(t);
    return -1;
}

/* --- values ------------------------------------------------------------ */

/* Over the account too: a file that came from another one is damage. */
static uint32_t checksum(const struct store *s, struct view key,
                         struct view value)
{
    uint32_t crc = crc32c(INDEX_FORMAT, s->o.account, strlen(s->o.account));

    crc = crc32c(crc, key.data, key.len);
    return crc32c(crc, value.data, value.len);
}

static MDB_val val_of(struct view v)
{
    return (MDB_val){ v.len, (void *)(uintptr_t)v.data };
}

/* Take the checksum off; false when it does not fit. */
static bool unwrap(const struct store *s, struct view key, const MDB_val *in,
                   struct view *value)
{
    uint32_t crc;

    if (in->mv_size < sizeof crc)
        return false;
    memcpy(&crc, in->mv_data, sizeof crc);
    *value = (struct view){ (char *)in->mv_data + sizeof crc,
                            in->mv_size - sizeof crc };
    return crc == checksum(s, key, *value);
}

int txn_get(struct txn *t, enum db db, struct view key, struct view *value,
            struct error *err)
{
    MDB_val k = val_of(key), v;
    int rc = mdb_get(t->t, t->s->dbi[db], &k, &v);

    if (rc == MDB_NOTFOUND)
        return 0;
    if (rc != 0)
        return failed(t->s, rc, "reading", err);
    return unwrap(t->s, key, &v, value) ? 1
                                        : txn_damaged(t, "a value", err);
}

int txn_put(struct txn *t, enum db db, struct view key, struct view value,
            struct error *err)
{
    uint32_t crc = checksum(t->s, key, value);
    MDB_val k = val_of(key), v = { sizeof crc + value.len, NULL };
    int rc = mdb_put(t->t, t->s->dbi[db], &k, &v, MDB_RESERVE);

    if (rc != 0)
        return failed(t->s, rc, "writing", err);
    memcpy(v.mv_data, &crc, sizeof crc);
    if (value.len > 0)
        memcpy((char *)v.mv_data + sizeof crc, value.data, value.len);
    return 0;
}

int txn_delete(struct txn *t, enum db db, struct view key, struct error *err)
{
    MDB_val k = val_of(key);
    int rc = mdb_del(t->t, t->s->dbi[db], &k, NULL);

    return rc == 0 || rc == MDB_NOTFOUND ? 0
                                         : failed(t->s, rc, "removing", err);
}

static bool has_prefix(const MDB_val *k, struct view prefix)
{
    return k->mv_size >= prefix.len &&
           memcmp(k->mv_data, prefix.data, prefix.len) == 0;
}

/* Put the cursor on the first key with the prefix. */
static int seek(MDB_cursor *c, struct view prefix, MDB_val *k, MDB_val *v)
{
    *k = val_of(prefix);
    return mdb_cursor_get(c, k, v, prefix.len > 0 ? MDB_SET_RANGE
                                                  : MDB_FIRST);
}

/* A page may lead twice to one value, which is whole, in place of another. */
static bool is_after(struct view key, struct view last)
{
    size_t n = key.len < last.len ? key.len : last.len;
    int order = n > 0 ? memcmp(key.data, last.data, n) : 0;

    return order != 0 ? order > 0 : key.len > last.len;
}

int txn_each(struct txn *t, enum db db, struct view prefix,
             int (*each)(struct view key, struct view value, void *arg,
                         struct error *err),
             void *arg, struct error *err)
{
    return txn_each_from(t, db, prefix, prefix, each, arg, err);
}

int txn_each_from(struct txn *t, enum db db, struct view prefix,
                  struct view from,
                  int (*each)(struct view key, struct view value, void *arg,
                              struct error *err),
                  void *arg, struct error *err)
{
    MDB_cursor *c;
    MDB_val k, v;
    struct view last = { "", 0 };
    int rc = mdb_cursor_open(t->t, t->s->dbi[db], &c), result = 0;

    if (rc != 0)
        return failed(t->s, rc, "reading", err);
    for (rc = seek(c, from, &k, &v); rc == 0 && has_prefix(&k, prefix);
         rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)) {
        struct view key = { k.mv_data, k.mv_size }, value;

        if (!unwrap(t->s, key, &v, &value))
            result = txn_damaged(t, "a value", err);
        else if (!is_after(key, last))
            result = txn_damaged(t, "the order of values", err);
        else
            result = each(key, value, arg, err);
        if (result != 0)
            break;
        last = key;
    }
    mdb_cursor_close(c);
    if (rc != 0 && rc != MDB_NOTFOUND)
        return failed(t->s, rc, "reading", err);
    return result;
}

int txn_clear(struct txn *t, enum db db, struct view prefix, struct error *err)
{
    MDB_cursor *c;
    MDB_val k, v;
    int rc = mdb_cursor_open(t->t, t->s->dbi[db], &c);

    if (rc != 0)
        return failed(t->s, rc, "removing", err);
    for (rc = seek(c, prefix, &k, &v); rc == 0 && has_prefix(&k, prefix);
         rc = mdb_cursor_get(c, &k, &v, MDB_NEXT))
        if ((rc = mdb_cursor_del(c, 0)) != 0)
            break;
    mdb_cursor_close(c);
    return rc == 0 || rc == MDB_NOTFOUND ? 0
                                         : failed(t->s, rc, "removing", err);
}
