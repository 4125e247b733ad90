# SPDX-License-Identifier: BSD-2-Clause
"""A client's side of SCRAM-SHA-256 and -PLUS: Python has none."""
import base64
import hashlib
import hmac


def b64(data):
    return base64.b64encode(data).decode()


def digest(key, text):
    return hmac.new(key, text.encode(), "sha256").digest()


class Scram:
    """RFC 5802 §3 as a client; say(challenge) gives the next message."""

    def __init__(self, user, password, flag="n", bound=b""):
        self.gs2 = flag + ",,"
        self.bound = bound
        self.first = f"n={user},r=fyko+d2lbbFgONRv9qkxdawL"
        self.password = password
        self.step = 0
        self.salt = None

    def say(self, challenge):
        self.step += 1
        text = challenge.decode() if challenge else ""
        if self.step == 1:
            return (self.gs2 + self.first).encode()
        if self.step == 3:
            self.verify(text)
            return b""
        fields = dict(f.split("=", 1) for f in text.split(","))
        self.salt = fields["s"]
        salted = hashlib.pbkdf2_hmac(
            "sha256", self.password.encode(), base64.b64decode(fields["s"]),
            int(fields["i"]))
        key = digest(salted, "Client Key")
        last = "c=" + b64(self.gs2.encode() + self.bound) + ",r=" + fields["r"]
        message = ",".join((self.first, text, last))
        signature = digest(hashlib.sha256(key).digest(), message)
        self.expected = digest(digest(salted, "Server Key"), message)
        proof = bytes(a ^ b for a, b in zip(key, signature))
        return f"{last},p={b64(proof)}".encode()

    def verify(self, text):
        if text != "v=" + b64(self.expected):
            raise AssertionError(f"the server's signature is wrong: {text}")
