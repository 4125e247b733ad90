/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redteam.h - the probe's pieces: goals, and how the last one went.
 */
#ifndef REDTEAM_H
#define REDTEAM_H

#include <stdbool.h>

#include "service/service.h"

/* Something that somebody who has taken over a daemon would want. `reach` is
 * true when it was reached; else redteam_how says why not. */
struct goal {
    const char *name;
    bool (*reach)(struct daemon *d, const char *target);
};

/* What the last attempt said. */
extern char redteam_how[2000];

/* Keep the reason of errno for a call that failed; false. */
bool redteam_no(const char *call);

/* Call `reach` with each word of `targets` ("a,b,c") until one is reached. */
bool redteam_any(struct daemon *d, const char *targets,
                 bool (*reach)(struct daemon *d, const char *target));

/* Ask master for a channel to `service`; -1 with redteam_how. */
int redteam_join(const char *service);

/* Each ends with a NULL name. */
extern const struct goal host_goals[];  /* goals_host.c: files, kernel */
extern const struct goal suite_goals[]; /* goals_suite.c: other programs */
extern const struct goal queue_goals[]; /* goals_queue.c: queue entries */

#endif
