# SPDX-License-Identifier: BSD-2-Clause
"""What cannot be had here: the Internet. A name server with our own zone, and
mail servers that answer as a test says."""
import socket
import socketserver
import struct
import threading

TYPES = {"A": 1, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28}


def encode_name(name):
    return b"".join(bytes([len(x)]) + x.encode()
                    for x in name.rstrip(".").split(".") if x) + b"\0"


class NameServer:
    """Answers UDP questions from `zone`: {(name, type): [value, ...]}; an
    unknown name is NXDOMAIN; the value "servfail" is a failure."""

    def __init__(self, zone):
        self.zone = {(n.lower(), t): v for (n, t), v in zone.items()}
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.asked = []  # (name, type), in order
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                data, peer = self.socket.recvfrom(4096)
            except OSError:
                return
            reply = self.answer(data)
            if reply is not None:
                self.socket.sendto(reply, peer)

    def close(self):
        self.socket.close()

    def answer(self, data):
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1:at + 1 + data[at]].decode())
            at += 1 + data[at]
        question = data[12:at + 5]
        name = ".".join(labels).lower()
        number = struct.unpack("!H", data[at + 1:at + 3])[0]
        kind = {v: k for k, v in TYPES.items()}.get(number, "?")
        self.asked.append((name, kind))
        values = self.zone.get((name, kind), [])
        known = any(n == name for n, _ in self.zone)
        code = 2 if "servfail" in values else 0 if known else 3
        records = b"" if code else b"".join(
            b"\xc0\x0c" + struct.pack("!HHIH", number, 1, 60, len(r)) + r
            for r in (self.rdata(kind, v) for v in values))
        return (data[:2] + struct.pack(
            "!HHHHH", 0x8180 | code, 1, 0 if code else len(values), 0, 0)
            + question + records)

    @staticmethod
    def rdata(kind, value):
        if kind == "A":
            return socket.inet_aton(value)
        if kind == "AAAA":
            return socket.inet_pton(socket.AF_INET6, value)
        if kind == "MX":
            preference, host = value.split()
            return struct.pack("!H", int(preference)) + encode_name(host)
        if kind == "TXT":
            return bytes([len(value)]) + value.encode()
        return encode_name(value)


class Sink(socketserver.ThreadingTCPServer):
    """A mail server. `replies` maps a verb (or "RCPT x@y", "GREETING", ".")
    to what it answers instead of the usual."""
    allow_reuse_address = True
    request_queue_size = 128
    daemon_threads = True

    def __init__(self, address="127.0.0.1", port=0, replies=None,
                 features=("PIPELINING", "SIZE 10000000", "8BITMIME", "DSN")):
        self.address_family = (socket.AF_INET6 if ":" in address
                               else socket.AF_INET)
        super().__init__((address, port), SinkHandler)
        self.port = self.server_address[1]
        self.replies = {} if replies is None else replies
        self.features = features
        self.tls, self.handshakes = None, 0
        self.messages = []  # (sender line, [recipient lines], bytes)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()


class SinkHandler(socketserver.StreamRequestHandler):
    def say(self, key, usual):
        text = self.server.replies.get(key, usual)
        if text is None:
            raise ConnectionError("closing as the test asks")
        self.wfile.write(text.encode() + b"\r\n")
        return text

    def handle(self):
        try:
            self.dialogue()
        except (ConnectionError, OSError):
            pass

    def dialogue(self):
        self.say("GREETING", "220 sink.example ESMTP")
        sender, rcpts = None, []
        while raw := self.rfile.readline():  # STARTTLS replaces it
            line = raw.decode(errors="replace").rstrip("\r\n")
            verb = line.split(" ")[0].upper()
            if verb == "EHLO":
                self.say("EHLO", "\r\n".join(
                    ["250-sink.example"] +
                    [f"250-{f}" for f in self.server.features] + ["250 HELP"]))
            elif verb == "MAIL":
                sender, rcpts = line, []
                self.say("MAIL", "250 2.1.0 Ok")
            elif verb == "RCPT":
                address = line.split("<")[1].split(">")[0]
                if self.say(f"RCPT {address}", "250 2.1.5 Ok")[0] == "2":
                    rcpts.append(line)
            elif verb == "DATA":
                if self.say("DATA", "354 go ahead")[0] == "3":
                    self.content(sender, rcpts)
            elif verb == "STARTTLS":
                if self.say("STARTTLS", "220 2.0.0 Go ahead")[0] == "2" \
                        and not self.begin_tls():
                    return
            elif verb == "QUIT":
                self.say("QUIT", "221 2.0.0 Bye")
                return
            else:
                self.say(verb, "250 2.0.0 Ok")

    def begin_tls(self):
        """With self.server.tls, an ssl context; without it, rubbish."""
        if self.server.tls is None:
            self.connection.recv(1)  # it has begun
            self.wfile.write(b"rubbish\r\n" * 10)
            return False
        self.connection = self.server.tls.wrap_socket(self.connection,
                                                      server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", 0)
        self.server.handshakes += 1
        return True

    def content(self, sender, rcpts):
        lines = []
        begins = True  # a line, for the last one ended in CRLF
        for raw in self.rfile:
            if begins and raw == b".\r\n":
                break
            lines.append(raw[1:] if begins and raw.startswith(b".") else raw)
            begins = raw.endswith(b"\r\n")
        else:
            raise ConnectionError("the client went away in its message")
        if self.say(".", "250 2.0.0 Ok: taken")[0] == "2":
            self.server.messages.append((sender, rcpts, b"".join(lines)))
