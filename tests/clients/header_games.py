"""Requests that two readers would read differently. Says which were answered wrongly, as JSON.

header_games.py GAME PORT CA CERTIFICATE KEY PATH < customer token

Each game is a table of bytes. What is smuggled asks for the OpenAPI document: nobody may ever get
it, and nobody more answers than requests were begun. PATH is what is asked for.
"""

import concurrent.futures
import dataclasses
import functools
import ipaddress
import json
import socket
import struct
import sys

import wire
from wire import (CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PRIORITY, RESET, SETTINGS,
                  WINDOW_UPDATE, field, fields, frame)

game, port, authorities, certificate, key, path = sys.argv[1:7]
customer_token = sys.stdin.readline().strip()
door = wire.Door(int(port), authorities, certificate, key)
SMUGGLED = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
LINE = f"GET {path} HTTP/1.1\r\n".encode()
HOST = b"Host: localhost\r\n"
END = b"0\r\n\r\n"
# Long enough for an answer that should not come, on a busy machine too: answers take milliseconds.
SILENCE = 0.4


def with_body(headers, body):
    """A request whose body is that many bytes, unless `headers` say something else."""
    return LINE + HOST + headers + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


def chunked(body, headers=b""):
    return LINE + HOST + b"Transfer-Encoding: chunked\r\n" + headers + b"\r\n" + body


def bare(headers, line=LINE):
    return line + headers + b"\r\n"


HIDDEN = END + SMUGGLED
WRAPPED = f"{len(SMUGGLED):x}\r\n".encode() + SMUGGLED + b"\r\n" + END
# What has one meaning only; each is answered once, with 200.
PLAIN = {
    "a request": bare(HOST),
    "a request within a body": with_body(b"", SMUGGLED),
    "a request within a chunk": chunked(WRAPPED),
    "the same length twice": with_body(f"Content-Length: {len(SMUGGLED)}\r\n".encode(), SMUGGLED),
    "a chunk's extension": chunked(b"1;name=\"a;b\"\r\nx\r\n" + END),
    "a trailer": chunked(b"0\r\nX-Trailer: " + SMUGGLED[:26] + b"\r\n\r\n"),
    "h2c": bare(HOST + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"),
    "a web socket": bare(HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
                         b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"),
    "a length that waits": with_body(b"Expect: 100-continue\r\n", SMUGGLED),
}
# What is wrong for every reader; nobody gets 200.
WRONG = {
    f"length {length!r}": LINE + HOST + b"Content-Length: " + length + b"\r\n\r\n" + SMUGGLED
    for length in (b"-1", b"+40", b"0x28", b"4 0", b"40, 40", b"", b"1e2", b"99999999999999999999",
                   b"\x0b4", b"4\x00")
} | {
    "two lengths": with_body(b"Content-Length: 1\r\n", SMUGGLED),
    "a folded line": with_body(b"X: a\r\n Transfer-Encoding: chunked\r\n", HIDDEN),
    "a folded coding": with_body(b"Transfer-Encoding:\r\n chunked\r\n", HIDDEN),
    "a space before the colon": with_body(b"Transfer-Encoding : chunked\r\n", HIDDEN),
    "a tab before the colon": with_body(b"Transfer-Encoding\t: chunked\r\n", HIDDEN),
    "a name of two lines": with_body(b"Transfer-\r\nEncoding: chunked\r\n", HIDDEN),
    "CR in a value": with_body(b"X: a\rTransfer-Encoding: chunked\r\n", HIDDEN),
    "NUL in a value": with_body(b"X: a\0b\r\n", HIDDEN),
    "NUL in a name": with_body(b"X\0: a\r\n", HIDDEN),
    "another coding": with_body(b"Transfer-Encoding: identity\r\n", HIDDEN),
    "a coding like it": with_body(b"Transfer-Encoding: xchunked\r\n", HIDDEN),
    "a coding behind it": with_body(b"Transfer-Encoding: chunked, gzip\r\n", HIDDEN),
    "a second coding": with_body(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n", HIDDEN),
    "a coding in HTTP/1.0": LINE.replace(b"1.1", b"1.0") + HOST +
                            b"Transfer-Encoding: chunked\r\n\r\n" + HIDDEN,
    "two spaces": bare(HOST, LINE.replace(b" HTTP", b"  HTTP")),
    "a version that there is not": bare(HOST, LINE.replace(b"1.1", b"1.2")),
    "HTTP/0.9": LINE.replace(b" HTTP/1.1", b"") + b"\r\n",
    "no method": bare(HOST, LINE[3:]),
    "a tunnel": bare(HOST, b"CONNECT localhost:1 HTTP/1.1\r\n"),
    "another path in the path": bare(HOST, LINE.replace(b"/v1", b"/v1/../v1")),
    "a line within the path": bare(HOST, LINE.replace(b" HTTP", b"%0d%0aX:%20y HTTP")),
    "a target without end": bare(HOST, LINE.replace(b" HTTP", b"?" + b"x" * 70_000 + b" HTTP")),
    "headers without end": bare(HOST + b"".join(b"X-%d: y\r\n" % at for at in range(2_000))),
}
# What readers differ about: refused, or one request, after which the connection ends or what
# follows is part of it.
DOUBTFUL = {
    "length, then chunks": LINE + HOST + b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n"
                           % len(HIDDEN) + HIDDEN,
    "chunks, then length": with_body(b"Transfer-Encoding: chunked\r\n", HIDDEN),
    "chunks, then a short length": LINE + HOST + b"Transfer-Encoding: chunked\r\n"
                                   b"Content-Length: 4\r\n\r\n" + WRAPPED,
    "chunks in capitals": with_body(b"TRANSFER-ENCODING: CHUNKED\r\n", HIDDEN),
    "chunks behind a tab": with_body(b"Transfer-Encoding:\tchunked\r\n", HIDDEN),
    "chunks behind a comma": with_body(b"Transfer-Encoding: ,chunked\r\n", HIDDEN),
    "chunks behind a bare LF": with_body(b"X: y\nTransfer-Encoding: chunked\r\n", HIDDEN),
    "LF at each line's end": with_body(b"", SMUGGLED).replace(b"\r\n", b"\n"),
    "an extension with LF": chunked(b"1;\nx\r\n" + HIDDEN + b"\r\n0\r\n\r\n"),
    "an extension without end": chunked(b"1;" + b"x" * 70_000 + b"\r\nx\r\n" + HIDDEN),
    "a size that is none": chunked(b"0x0\r\n\r\n" + SMUGGLED),
    "a size below nothing": chunked(b"-1\r\n\r\n" + SMUGGLED),
    "a size over 64 bits": chunked(b"1" + b"0" * 16 + b"\r\n" + SMUGGLED + HIDDEN),
    "a chunk longer than its size": chunked(b"1\r\nxyz" + HIDDEN),
    "a chunk that ends with LF": chunked(b"1\r\nx\n" + HIDDEN + b"\r\n"),
    "trailers without end": chunked(b"0\r\n" + b"X: y\r\n" * 20_000 + b"\r\n"),
    "two hosts": bare(HOST + b"Host: elsewhere\r\n"),
    "no host": bare(b""),
    "a whole address": bare(HOST, LINE.replace(b"GET ", b"GET https://elsewhere")),
    "the other protocol": wire.PREFACE + frame(SETTINGS, 0, 0),
}


def http1():
    """The cases, each with how it is played."""
    for table, is_right in (
            (PLAIN, lambda statuses: statuses == [200]),
            (WRONG, lambda statuses: len(statuses) <= 1 and 200 not in statuses),
            (DOUBTFUL, lambda statuses: len(statuses) <= 1)):
        for name, request in table.items():
            yield name, functools.partial(wrong_answer, request, is_right)


def wrong_answer(request, is_right):
    """What is wrong with the answer, if anything is."""
    with door.tls("http/1.1") as connection:
        try:
            connection.sendall(request)
        except OSError:
            pass
        answer, _ = wire.read_all(connection, SILENCE)
    pieces = answer.split(b"HTTP/1.1 ")[1:]
    statuses = [int(piece[:3]) for piece in pieces]
    # 100 says that the body may come.
    statuses = [status for status in statuses if status != 100]
    is_smuggled = b'"openapi"' in answer or 101 in statuses
    return None if is_right(statuses) and not is_smuggled else f"{statuses} {answer[:300]}"


is_grpc = path.startswith("/grpc.")
PSEUDO = [(":method", "POST" if is_grpc else "GET"), (":scheme", "https"), (":path", path),
          (":authority", "localhost")]


def changed(name, *values):
    """The pseudo-headers, with other values in the place of one."""
    return fields(*(pair for it in PSEUDO for pair in
                    ([(name, value) for value in values] if it[0] == name else [it])))


def whole(header):
    """A request with that header section."""
    if not is_grpc:
        return frame(HEADERS, END_HEADERS | END_STREAM, 1, header)
    more = fields(("content-type", "application/grpc"), ("te", "trailers"))
    return frame(HEADERS, END_HEADERS, 1, header + more) + frame(DATA, END_STREAM, 1, bytes(5))


ALL = fields(*PSEUDO)
POST = changed(":method", "POST")
LINES = f" HTTP/1.1\r\nHost: localhost\r\n\r\n{SMUGGLED.decode()}"
# Header sections that no request may have (RFC 9113 §8.2, §8.3).
MALFORMED = {
    f"{count} of {name}": changed(name, *values)
    for name in (":method", ":scheme", ":path")
    for count, values in (("none", ()), ("two", (dict(PSEUDO)[name],) * 2))
} | {
    "no path in the path": changed(":path", ""),
    "two authorities": changed(":authority", "localhost", "localhost"),
    "a line in the path": changed(":path", path + LINES),
    "a space in the path": changed(":path", path + " x"),
    "a line in the method": changed(":method", "GET " + path + LINES + "GET"),
    "a line in the authority": changed(":authority", "localhost\r\nX: y"),
    "a pseudo-header behind": field("x", "y") + ALL,
    "an unknown pseudo-header": ALL + field(":x", "y"),
    "a status": ALL + field(":status", "200"),
    "a capital": ALL + field("X-Capital", "y"),
    "a line in a name": ALL + field("x\r\ny", "z"),
    "a colon in a name": ALL + field("x: y", "z"),
    "no name": ALL + field("", "z"),
    "a line in a value": ALL + field("x", "y\r\ntransfer-encoding: chunked"),
    "CR in a value": ALL + field("x", "y\rz"),
    "NUL in a value": ALL + field("x", "y\0z"),
    "connection": ALL + field("connection", "close"),
    "keep-alive": ALL + field("keep-alive", "9"),
    "upgrade": ALL + field("upgrade", "h2c"),
    "transfer-encoding": ALL + field("transfer-encoding", "chunked"),
    "te": ALL + field("te", "gzip"),
    "a tunnel": fields((":method", "CONNECT"), (":authority", "localhost:1")),
    "a tunnel for a protocol": changed(":method", "CONNECT") + field(":protocol", "websocket"),
    "a length that is none": ALL + field("content-length", "x"),
    "a length without a body": ALL + field("content-length", "9"),
    "two lengths": ALL + fields(("content-length", "0"), ("content-length", "1")),
    "an index that there is not": ALL + b"\xff\x80\x10",
    "a name cut short": ALL + b"\x10\x7f",
}
# Whole frames that break the connection or the stream; the request among them is never done.
HEAD, BODY = frame(HEADERS, END_HEADERS, 1, POST), frame(DATA, END_STREAM, 1, b"x" * 5)
BROKEN = {
    "a body shorter than its length":
        frame(HEADERS, END_HEADERS, 1, POST + field("content-length", "9")) + BODY,
    "a body longer than its length":
        frame(HEADERS, END_HEADERS, 1, POST + field("content-length", "1")) + BODY,
    "a stream of the server's": frame(HEADERS, END_HEADERS | END_STREAM, 2, ALL),
    "stream 0": frame(HEADERS, END_HEADERS | END_STREAM, 0, ALL),
    "a body without a header": BODY,
    "a frame in between": frame(HEADERS, END_STREAM, 1, ALL) + frame(PRIORITY, 0, 3, bytes(5)) +
                          frame(CONTINUATION, END_HEADERS, 1),
    "a continuation of nothing": frame(CONTINUATION, END_HEADERS, 1, ALL),
    "padding over the length": frame(HEADERS, END_HEADERS | END_STREAM | 8, 1, b"\xff" + ALL),
    "a promise": frame(5, END_HEADERS, 1, struct.pack(">I", 2) + ALL),
    "settings of odd length": frame(SETTINGS, 0, 0, b"x" * 5) +
                              frame(HEADERS, END_HEADERS | END_STREAM, 1, ALL),
    "a window of nothing": HEAD + frame(WINDOW_UPDATE, 0, 0, bytes(4)) + BODY,
    "a window over all": HEAD + frame(WINDOW_UPDATE, 0, 0, b"\x7f\xff\xff\xff") + BODY,
    "a frame over the bound": HEAD + frame(DATA, 0, 1, b"x" * (1 << 20)),
    "a reset of nothing": frame(RESET, 0, 1, bytes(4)) +
                          frame(HEADERS, END_HEADERS | END_STREAM, 1, ALL),
    "a header table that explodes": frame(HEADERS, END_HEADERS | END_STREAM, 1, ALL +
                                          b"\x40\x01x" + wire.text(b"y" * 4_000) + b"\xbe" * 12_000),
    "the other protocol": LINE + HOST + b"\r\n",
}


def http2():
    yield "a request", lambda: None if is_done(whole(ALL)) else "it was not done"
    malformed = {name: whole(header) for name, header in MALFORMED.items()}
    for name, bytes_ in (malformed | BROKEN).items():
        yield name, functools.partial(lambda it: "it was done" if is_done(it) else None, bytes_)


def is_done(bytes_):
    """Whether a request was answered as if nothing were wrong, or what was smuggled."""
    with door.http2() as connection:
        try:
            connection.sendall(bytes_)
        except OSError:
            pass
        answer, _ = wire.read_all(connection, SILENCE)
    # 0x88 is `:status: 200` (RFC 7541, appendix A). Without a body it is how gRPC refuses.
    is_good = any(kind == HEADERS and payload.startswith(b"\x88") and not flags & END_STREAM
                  for kind, flags, _, payload in wire.frames(answer))
    return is_good or b'"openapi"' in answer or answer.startswith(b"HTTP/1.1 200")


SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def proxied(source, rest=b"", command=0x21, length=None):
    """A header of the PROXY protocol, version 2."""
    address = ipaddress.ip_address(source)
    family, size = (0x11, 4) if address.version == 4 else (0x21, 16)
    body = address.packed + bytes(size) + struct.pack(">HH", 4711, 443) + rest
    length = len(body) if length is None else length
    return SIGNATURE + bytes([command, family]) + struct.pack(">H", length) + body


GOOD, BAD, PROXY, STRANGER = "203.0.113.5", "198.51.100.1", "127.0.0.9", "127.0.0.1"
# From where, what comes first, and the status; None is a connection that is closed.
PROXIED = {
    "an address of the list": (PROXY, proxied(GOOD), 200),
    "one of IPv6": (PROXY, proxied("2001:db8:7::1"), 200),
    "one of IPv4 in IPv6": (PROXY, proxied("::ffff:" + GOOD), 200),
    "more than the address": (PROXY, proxied(GOOD, b"\x04\0\x05" + b"x" * 5), 200),
    "an address of no list": (PROXY, proxied(BAD), 401),
    "the proxy itself": (PROXY, SIGNATURE + b"\x20\0\0\0", 401),
    "the proxy itself, with an address": (PROXY, proxied(GOOD, command=0x20), 401),
    "a stranger": (STRANGER, proxied(GOOD), None),
    "a stranger without": (STRANGER, b"", None),
    "a neighbour of the proxy": ("127.0.0.10", proxied(GOOD), None),
    "none": (PROXY, b"", None),
    "version 1": (PROXY, f"PROXY TCP4 {GOOD} 127.0.0.1 4711 443\r\n".encode(), None),
    "version 3": (PROXY, proxied(GOOD, command=0x31), None),
    "an unknown command": (PROXY, proxied(GOOD, command=0x22), None),
    "no family": (PROXY, SIGNATURE + b"\x21\0\0\0", None),
    "two": (PROXY, proxied(GOOD) + proxied(GOOD), None),
    "one of each version": (PROXY, proxied(GOOD) + b"PROXY UNKNOWN\r\n", None),
    "one cut short": (PROXY, proxied(GOOD)[:20], None),
    "one that is too short": (PROXY, proxied(GOOD, length=4), None),
    "one that goes on": (PROXY, proxied(GOOD, length=60_000), None),
}


def proxy():
    for name, (address, first, status) in PROXIED.items():
        yield name, functools.partial(wrong_status, address, first, status)


def wrong_status(address, first, status):
    got = asked(dataclasses.replace(door, address=address), first)
    return None if got == status else str(got)


def asked(proxy_door, first):
    """The status of a request behind those bytes."""
    plain = proxy_door.plain()
    try:
        plain.sendall(first)
        with proxy_door.tls("http/1.1", plain) as connection:
            connection.sendall(LINE + HOST + b"Connection: close\r\n\r\n")
            answer, _ = wire.read_all(connection)
    except OSError:
        return None
    return int(answer[9:12]) if answer else None


socket.setdefaulttimeout(wire.PATIENCE)
cases = dict(globals()[game]())
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    results = dict(zip(cases, pool.map(lambda play: play(), cases.values())))
print(json.dumps({"played": len(results),
                  "wrong": {name: wrong for name, wrong in results.items() if wrong}}))
