/* SPDX-License-Identifier: BSD-2-Clause */
/* Each file named, or in a directory named, as an input: libFuzzer's place
 * where lines are counted (preset coverage). */
#include <dirent.h>
#include <fcntl.h>

#include "base/io.h"
#include "t/fuzz/fuzz.h"

static void run_file(const char *path)
{
    struct buf b = BUF_INIT;
    struct error err;

    MUST(io_read_file(AT_FDCWD, path, &b, 1u << 24, &err) == 0);
    LLVMFuzzerTestOneInput((const uint8_t *)buf_text(&b), b.len);
    buf_release(&b);
}

static int is_shown(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

/* No descriptor stays open: targets may want certain numbers. */
static void run_directory(const char *path, struct dirent **list, int n)
{
    for (int i = 0; i < n; i++) {
        struct buf file = BUF_INIT;

        buf_addf(&file, "%s/%s", path, list[i]->d_name);
        run_file(buf_text(&file));
        buf_release(&file);
        free(list[i]);
    }
    free(list);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct dirent **list;
        int n = scandir(argv[i], &list, is_shown, alphasort);

        if (n < 0)
            run_file(argv[i]);
        else
            run_directory(argv[i], list, n);
    }
    return 0;
}
