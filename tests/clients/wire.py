"""TLS connections and HTTP/2 frames made by hand, for clients that keep no rule.

A `Door` is a listener and how one shows oneself there; everything is bounded by `PATIENCE`.
"""

import dataclasses
import socket
import ssl
import struct

PATIENCE = 30
DATA, HEADERS, PRIORITY, RESET, SETTINGS = 0, 1, 2, 3, 4
PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 6, 7, 8, 9
END_STREAM, END_HEADERS = 1, 4
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


@dataclasses.dataclass
class Door:
    """Where to connect, from which address of loopback, and under which certificate."""

    port: int
    authorities: str
    certificate: str
    key: str
    address: str = "127.0.0.1"

    def plain(self):
        """A connection without TLS."""
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE, (self.address, 0))

    def context(self):
        """What a client library of Python's takes."""
        tls = ssl.create_default_context(cafile=self.authorities)
        tls.load_cert_chain(self.certificate, self.key)
        return tls

    def tls(self, protocol, plain=None):
        """A connection that speaks `protocol`, over `plain` if there is one already."""
        tls = self.context()
        tls.set_alpn_protocols([protocol])
        return tls.wrap_socket(plain or self.plain(), server_hostname="localhost")

    def http2(self, settings=b""):
        """A connection that has begun HTTP/2."""
        connection = self.tls("h2")
        connection.sendall(PREFACE + frame(SETTINGS, 0, 0, settings))
        return connection


def frame(kind, flags, stream, payload=b""):
    """A frame of HTTP/2 (RFC 9113 §4.1)."""
    head = struct.pack(">I", len(payload))[1:] + bytes([kind, flags])
    return head + struct.pack(">I", stream) + payload


def frames(data):
    """The frames of `data`, as (kind, flags, stream, payload)."""
    while len(data) >= 9:
        length = int.from_bytes(data[:3], "big")
        stream = int.from_bytes(data[5:9], "big") & 0x7fffffff
        yield data[3], data[4], stream, data[9:9 + length]
        data = data[9 + length:]


def integer(number, bits, first=0):
    """A number as HPACK writes it (RFC 7541 §5.1)."""
    if number < (1 << bits) - 1:
        return bytes([first | number])
    digits = bytearray([first | ((1 << bits) - 1)])
    number -= (1 << bits) - 1
    while number >= 128:
        digits.append(number % 128 + 128)
        number //= 128
    return bytes([*digits, number])


def text(value):
    return integer(len(value), 7) + value


def field(name, value):
    """A header field as HPACK writes it without its tables."""
    return b"\x10" + text(name.encode("latin1")) + text(value.encode("latin1"))


def fields(*pairs):
    return b"".join(field(name, value) for name, value in pairs)


def request(method, path, *pairs):
    """The header of a request."""
    pseudo = ((":method", method), (":scheme", "https"), (":path", path),
              (":authority", "localhost"))
    return fields(*pseudo, *pairs)


def read_all(connection, seconds=PATIENCE):
    """What comes until the connection ends or nothing comes for so long; and whether it ended."""
    connection.settimeout(seconds)
    data = b""
    try:
        while piece := connection.recv(65536):
            data += piece
    except TimeoutError:
        return data, False
    except OSError:
        pass
    return data, True
