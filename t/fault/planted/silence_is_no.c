/* SPDX-License-Identifier: BSD-2-Clause */
/* Planted: an authd that does not answer is taken to know nobody. */
#include <errno.h>

#include "proto/directory.h"
#include "ipc/ipc.h"

int __real_ipc_call(struct ipc *c, const struct ipc_type *ask,
                    const void *request, const struct ipc_type *answer,
                    void *reply, struct error *err);
int __wrap_ipc_call(struct ipc *c, const struct ipc_type *ask,
                    const void *request, const struct ipc_type *answer,
                    void *reply, struct error *err);

int __wrap_ipc_call(struct ipc *c, const struct ipc_type *ask,
                    const void *request, const struct ipc_type *answer,
                    void *reply, struct error *err)
{
    int rc = __real_ipc_call(c, ask, request, answer, reply, err);

    if (rc == 0 || err->sys != ETIMEDOUT ||
        ask->id != directory_ask_type.id)
        return rc;
    *(struct directory_answer *)reply =
        (struct directory_answer){ .kind = DIRECTORY_UNKNOWN,
                                    .tenant = VIEW("acme") };
    return 0;
}
