/* SPDX-License-Identifier: BSD-2-Clause */
/* All messages that programs say to each other, as they are declared. */
#include "t/messages_all.h"
#include "unit.h"

#define N_MESSAGES (sizeof messages_all / sizeof *messages_all)

/* So that what comes over the wrong channel is never taken for another. */
static void no_two_messages_share_a_number(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_MESSAGES; i++)
        for (size_t k = 0; k < i; k++)
            if (messages_all[i]->id == messages_all[k]->id)
                fail_msg("%s and %s are both 0x%04x", messages_all[i]->name,
                         messages_all[k]->name, messages_all[i]->id);
}

/* A receiver has room for so many fields (ipc/peer.c), and so many
 * descriptors may ride along. */
static void messages_are_within_their_limits(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_MESSAGES; i++) {
        size_t fds = 0;

        assert_true(messages_all[i]->n_fields <= IPC_FIELDS_MAX);
        assert_true(messages_all[i]->size <=
                    IPC_FIELDS_MAX * sizeof(struct view));
        for (size_t k = 0; k < messages_all[i]->n_fields; k++)
            fds += messages_all[i]->fields[k].kind == IPC_FD;
        assert_true(fds <= IPC_FDS_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_two_messages_share_a_number),
        cmocka_unit_test(messages_are_within_their_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
