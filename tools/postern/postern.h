/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postern.h - the postern command: its verbs and what they share.
 *
 * Exit codes are those of sysexits.h: 0 well, 64 wrong use, 69 the mail
 * system is not running, 78 wrong configuration.
 */
#ifndef TOOLS_POSTERN_H
#define TOOLS_POSTERN_H

#include "tools/common/command.h"

struct postern {
    const char *config_directory;
    bool json;
};

struct verb {
    const char *name, *arguments, *doc;
    int (*run)(struct postern *p, int argc, char **argv);
};

/* Connect to master's control socket, or end the command with `code`: nothing
 * runs. */
void postern_connect(struct ipc *c, int code);

/* Each is one verb of main.c's table, with its arguments, and gives the exit
 * code. */
int verb_start_fg(struct postern *p, int argc, char **argv);
int verb_start(struct postern *p, int argc, char **argv);
int verb_check(struct postern *p, int argc, char **argv);
int verb_trace(struct postern *p, int argc, char **argv);
int verb_hardening(struct postern *p, int argc, char **argv);
int verb_stop(struct postern *p, int argc, char **argv);
int verb_reload(struct postern *p, int argc, char **argv);
int verb_status(struct postern *p, int argc, char **argv);
int verb_logrotate(struct postern *p, int argc, char **argv);
int verb_tenant(struct postern *p, int argc, char **argv);
int verb_domain(struct postern *p, int argc, char **argv);
int verb_user(struct postern *p, int argc, char **argv);
int verb_alias(struct postern *p, int argc, char **argv);
int verb_store(struct postern *p, int argc, char **argv);

#endif
