#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Wrong passwords, as many a second as is asked for, over IMAP in clear.

    flood.py PORT RATE ADDRESSES PATIENCE

Each try is of another name, each connection from the next of so many client
addresses. With PATIENCE 0 five hundred connections are kept and each waits for
its answers; else each try has a connection of its own, and is given up after so
many seconds. At a low priority: what is measured is the server, not the
competition of a client that in truth is another machine. When its input ends it
stops and says how many tries it made a second."""
import collections
import contextlib
import os
import selectors
import socket
import sys
import time

CONNECTIONS = 500
PORT, RATE, ADDRESSES, PATIENCE = map(int, sys.argv[1:])


class Try:
    number = 0

    def __init__(self, loop):
        Try.number += 1
        place = Try.number % ADDRESSES
        self.loop = loop
        self.sock = socket.socket()
        self.sock.bind((f"127.1.{place // 200}.{place % 200 + 1}", 0))
        self.sock.connect(("127.0.0.1", PORT))
        self.sock.setblocking(False)
        self.data = b""
        loop.register(self.sock, selectors.EVENT_READ, self)

    def close(self):
        self.loop.unregister(self.sock)
        self.sock.close()

    def guess(self):
        Try.number += 1
        self.since = time.monotonic()
        self.sock.send(b"a LOGIN user%d@one.example guess\r\n" % Try.number)

    def is_answered(self):
        """Raises OSError when the server closed."""
        data = self.sock.recv(65536)
        if not data:
            raise OSError
        self.data = (self.data + data)[-1000:]
        return b"\na NO" in self.data or self.data.startswith(b"a NO")


def main():
    os.nice(19)
    loop = selectors.DefaultSelector()
    loop.register(sys.stdin, selectors.EVENT_READ, None)
    idle = collections.deque()
    if not PATIENCE:
        idle.extend(Try(loop) for _ in range(CONNECTIONS))
    waiting = collections.deque()  # those that may be given up
    begin = time.monotonic()
    sent = 0
    while True:
        now = time.monotonic()
        while sent < (now - begin) * RATE and (idle or PATIENCE):
            one = idle.popleft() if idle else Try(loop)
            with contextlib.suppress(OSError):
                one.guess()
            sent += 1
            if PATIENCE:
                waiting.append(one)
        while waiting and waiting[0].since < now - PATIENCE:
            one = waiting.popleft()
            if one.sock.fileno() >= 0:
                one.close()
        for key, _ in loop.select(0.002):
            one = key.data
            if one is None:
                print(f"{sent / (time.monotonic() - begin):.0f}")
                return
            try:
                if one.is_answered():
                    one.data = b""
                    one.close() if PATIENCE else idle.append(one)
            except OSError:
                one.close()
                if not PATIENCE:
                    idle.append(Try(loop))


main()
