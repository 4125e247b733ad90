/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flood PORT RATE ADDRESSES PATIENCE - wrong passwords, so many a second, over
 * IMAP in clear.
 *
 * Each try is of another name, each connection from the next of so many client
 * addresses. With PATIENCE 0 five hundred connections are kept and each waits
 * for its answers; else each try has a connection of its own, and is given up
 * after so many seconds. It uses little of the machine, and that at a low
 * priority: what is measured is the server, and this is in truth another
 * machine. When its input ends it stops and prints the tries a second.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define KEPT    500
#define TRIES   20000 /* connections at a time, a ring */
#define SLOT_MS 2

static struct {
    int epoll, port, rate, addresses, patience;
    unsigned number;
} flood;

struct try {
    int fd; /* -1: none */
    bool waits;
    double since;
};

static struct try tries[TRIES];

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void begin(struct try *t)
{
    unsigned place = ++flood.number % (unsigned)flood.addresses;
    struct sockaddr_in from = { .sin_family = AF_INET }, to = from;
    struct epoll_event e = { .events = EPOLLIN, .data.ptr = t };

    from.sin_addr.s_addr =
        htonl(0x7f010000u + (place / 200 << 8) + place % 200 + 1);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons((uint16_t)flood.port);
    t->fd = socket(AF_INET, SOCK_STREAM, 0);
    t->waits = false;
    if (t->fd < 0 || bind(t->fd, (struct sockaddr *)&from, sizeof from) < 0 ||
        connect(t->fd, (struct sockaddr *)&to, sizeof to) < 0 ||
        epoll_ctl(flood.epoll, EPOLL_CTL_ADD, t->fd, &e) < 0) {
        perror("flood");
        exit(1);
    }
}

static void end(struct try *t)
{
    if (t->fd >= 0)
        close(t->fd);
    t->fd = -1;
}

static void guess(struct try *t)
{
    char line[100];
    int n = snprintf(line, sizeof line, "a LOGIN user%u@one.example guess\r\n",
                     ++flood.number);

    t->waits = true;
    t->since = now();
    (void)!send(t->fd, line, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void hear(struct try *t)
{
    char data[4096];
    ssize_t n = recv(t->fd, data, sizeof data, MSG_DONTWAIT);

    if (n <= 0) {
        end(t);
        if (!flood.patience)
            begin(t);
    } else if (memmem(data, (size_t)n, "a NO", 4) != NULL) {
        t->waits = false;
        if (flood.patience)
            end(t);
    }
}

int main(int argc, char **argv)
{
    struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
    unsigned long sent = 0;
    unsigned at = 0, oldest = 0;
    double start;

    if (argc != 5)
        return 64;
    flood.port = atoi(argv[1]);
    flood.rate = atoi(argv[2]);
    flood.addresses = atoi(argv[3]);
    flood.patience = atoi(argv[4]);
    flood.epoll = epoll_create1(0);
    setpriority(PRIO_PROCESS, 0, 19);
    for (unsigned i = 0; i < TRIES; i++)
        tries[i].fd = -1;
    for (unsigned i = 0; i < KEPT && !flood.patience; i++)
        begin(&tries[i]);
    start = now();
    while (poll(&input, 1, 0) == 0) {
        struct epoll_event events[256];
        unsigned ring = flood.patience ? TRIES : KEPT;
        int n = epoll_wait(flood.epoll, events, 256, SLOT_MS);

        for (int i = 0; i < n; i++)
            hear(events[i].data.ptr);
        for (unsigned tried = 0;
             (double)sent < (now() - start) * flood.rate && tried < ring;
             tried++) {
            struct try *t = &tries[at++ % ring];

            if (flood.patience) {
                end(t);
                begin(t);
            } else if (t->waits || t->fd < 0) {
                continue;
            }
            guess(t);
            sent++;
        }
        for (; flood.patience && oldest < at &&
               tries[oldest % ring].since < now() - flood.patience; oldest++)
            end(&tries[oldest % ring]);
        if (n > 0) { /* nobody is in a hurry here */
            struct timespec slot = { .tv_nsec = SLOT_MS * 1000000 };

            nanosleep(&slot, NULL);
        }
    }
    printf("%.0f\n", (double)sent / (now() - start));
    return 0;
}
