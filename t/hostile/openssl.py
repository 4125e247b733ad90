# SPDX-License-Identifier: BSD-2-Clause
"""A TLS client that does what Python's would not: OpenSSL's library called
directly, and a ClientHello made by hand."""
import ctypes
import socket
import struct

import hostile
from hostile import suite

TLS1_2, TLS1_3 = 0x303, 0x304
SSL_CTRL_SET_MIN_PROTO_VERSION, SSL_CTRL_SET_MAX_PROTO_VERSION = 123, 124

lib = ctypes.CDLL("libssl.so.3")
for _name in ("TLS_client_method", "SSL_CTX_new", "SSL_new"):
    getattr(lib, _name).restype = ctypes.c_void_p


class Client:
    """A connection to the port whose handshake is done; it checks nothing."""

    def __init__(self, port, version=TLS1_3):
        self.ctx = ctypes.c_void_p(lib.SSL_CTX_new(
            ctypes.c_void_p(lib.TLS_client_method())))
        for control in (SSL_CTRL_SET_MIN_PROTO_VERSION,
                        SSL_CTRL_SET_MAX_PROTO_VERSION):
            lib.SSL_CTX_ctrl(self.ctx, control, ctypes.c_long(version), None)
        self.sock = socket.create_connection(("127.0.0.1", port))
        seconds = struct.pack("ll", int(suite.DEADLINE), 0)
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            self.sock.setsockopt(socket.SOL_SOCKET, option, seconds)
        self.ssl = ctypes.c_void_p(lib.SSL_new(self.ctx))
        lib.SSL_set_fd(self.ssl, self.sock.fileno())
        if lib.SSL_connect(self.ssl) != 1:
            raise AssertionError("no handshake")

    def send(self, data):
        return lib.SSL_write(self.ssl, data, len(data)) == len(data)

    def line(self):
        """Up to and with the next LF; less when the connection has ended."""
        data, byte = b"", ctypes.create_string_buffer(1)
        while not data.endswith(b"\n") and \
                lib.SSL_read(self.ssl, byte, 1) == 1:
            data += byte.raw
        return data

    def update_key(self):
        """Have both sides change keys (RFC 8446 §4.6.3); False when the
        connection has ended."""
        return lib.SSL_key_update(self.ssl, 1) == 1 and \
            lib.SSL_do_handshake(self.ssl) == 1

    def renegotiate(self):
        """Shake hands once more (RFC 5246 §7.4.1.1): was it done?"""
        return lib.SSL_renegotiate(self.ssl) == 1 and \
            lib.SSL_do_handshake(self.ssl) == 1 and \
            lib.SSL_renegotiate_pending(self.ssl) == 0

    def close(self):
        lib.SSL_free(self.ssl)
        lib.SSL_CTX_free(self.ctx)
        self.sock.close()


def vector(size, data):
    """Data behind its length in `size` bytes (RFC 8446 §3.4)."""
    return len(data).to_bytes(size, "big") + data


def records(message, version=b"\3\1"):
    """A handshake message in as many records as it needs."""
    return b"".join(b"\x16" + version + vector(2, message[i:i + 16384])
                    for i in range(0, len(message), 16384))


def hello(*extensions):
    """A ClientHello of TLS 1.2 with these extensions, (number, data), too."""
    known = [(10, vector(2, b"\0\x1d\0\x17")),  # x25519, P-256
             (11, b"\1\0"), (13, vector(2, b"\4\3\x08\4\4\1"))]
    body = b"\3\3" + bytes(32) + b"\0" + vector(2, b"\xc0\x2b\xc0\x2f") + \
        b"\1\0" + vector(2, b"".join(struct.pack("!H", n) + vector(2, data)
                                     for n, data in [*known, *extensions]))
    return b"\1" + vector(3, body)


def server_name(name):
    """The extension of RFC 6066 §3, whatever the name is."""
    return 0, vector(2, b"\0" + vector(2, name))


class Handmade(hostile.Raw):
    """A connection on which records are written by hand."""

    def __init__(self, port):
        super().__init__(socket.create_connection(("127.0.0.1", port)))

    def answer(self):
        """The first record's type and message: (22, 2) is a ServerHello,
        (21, n) alert n, None an end without one."""
        while len(self.data) < 7:
            if not self.more():
                return None
        return self.data[0], self.data[6 if self.data[0] == 21 else 5]
