"""A client of the external API without manners. Says what became of it, as JSON.

rude.py MANNER PORT CA CERTIFICATE KEY [NUMBER] < customer token
"""

import json
import socket
import ssl
import struct
import sys
import time

manner, port, ca, certificate, key = sys.argv[1:6]
number = int(sys.argv[6]) if len(sys.argv) > 6 else 0
customer_token = sys.stdin.readline().strip()
RECORDS = "/v1/collections/customers/records"
PATIENCE = 60


def connect(protocol="http/1.1"):
    tls = ssl.create_default_context(cafile=ca)
    tls.load_cert_chain(certificate, key)
    tls.set_alpn_protocols([protocol])
    plain = socket.create_connection(("localhost", int(port)), timeout=PATIENCE)
    return tls.wrap_socket(plain, server_hostname="localhost")


def begin_upload(connection, query=""):
    connection.sendall(
        f"POST {RECORDS}{query} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
        f"Content-Type: application/x-ndjson\r\nTresor-Customer-Token: {customer_token}\r\n\r\n"
        .encode())


def chunk(data):
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def half_way():
    """Sends rows, reads what is acknowledged, and is gone in the middle of a row."""
    connection = connect()
    begin_upload(connection, "?id_field=nr")
    answered = b""
    for at in range(number):
        connection.sendall(chunk(json.dumps({"nr": f"h-{at}", "vorname": "Anna"}).encode() + b"\n"))
    while answered.count(b'"stored"') < number // 2:
        answered += connection.recv(65536)
    connection.sendall(b"20\r\n{\"nr\":\"h-9")
    # No farewell: the connection is reset.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    lines = [line for line in answered.splitlines() if line.startswith(b'{"row"')]
    whole = [line for line in lines if line.endswith(b"}")]
    return [json.loads(line)["id"] for line in whole]


def deaf():
    """Sends rows as long as they are taken and reads nothing."""
    connection = connect()
    connection.settimeout(3)
    begin_upload(connection)
    row = json.dumps({"notiz": "x" * 60_000}).encode() + b"\n"
    short = b'{"a":1}\n' * 8_000
    sent = 0
    try:
        while sent < number:
            connection.sendall(chunk(short))
            connection.sendall(chunk(row))
            sent += len(short) + len(row)
    except (TimeoutError, OSError):
        return {"sent": sent, "held": True}
    return {"sent": sent, "held": False}


def crowd():
    """Holds uploads open, one a connection, until a line comes in."""
    connections = []
    for _ in range(number):
        connection = connect()
        begin_upload(connection)
        connection.sendall(chunk(b'{"vorname":"Anna"}\n'))
        connections.append(connection)
    # The first answer of each says that it has its seat.
    statuses = [connection.recv(65536).split(b" ")[1].decode() for connection in connections]
    print(json.dumps(statuses), flush=True)
    sys.stdin.readline()
    for connection in connections:
        connection.sendall(b"0\r\n\r\n")
    return "gone"


def slow():
    """Sends a byte of a header now and then, and a body that stops."""
    header, body = connect(), connect()
    begin_upload(body)
    body.sendall(b"20\r\n{\"nr\"")
    header.sendall(b"GET /v1/limits HTTP/1.1\r\n")
    begun = time.monotonic()
    while time.monotonic() - begun < PATIENCE:
        try:
            header.sendall(b"X: y\r\n")
            header.settimeout(1)
            if header.recv(1) == b"":
                break
        except TimeoutError:
            continue
        except OSError:
            break
    is_header_cut = time.monotonic() - begun < PATIENCE
    body.settimeout(PATIENCE)
    answer = b""
    try:
        while piece := body.recv(65536):
            answer += piece
            if b"deadline_exceeded" in answer:
                break
    except OSError:
        pass
    return {"header_cut": is_header_cut, "body_told": b"deadline_exceeded" in answer}


def frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + \
        struct.pack(">I", stream) + payload


def http2():
    connection = connect("h2")
    connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b""))
    return connection


def frames(connection):
    """The frames that come, as (kind, stream, payload), until none does."""
    connection.settimeout(3)
    data = b""
    try:
        while piece := connection.recv(65536):
            data += piece
    except OSError:
        pass
    while len(data) >= 9:
        length = int.from_bytes(data[:3], "big")
        yield data[3], int.from_bytes(data[5:9], "big"), data[9:9 + length]
        data = data[9 + length:]


# GET https://localhost/healthz, without the dynamic table.
HEADERS = b"\x82\x87\x04\x08/healthz\x01\x09localhost"


def rapid_reset():
    """Opens streams and resets each at once."""
    connection = http2()
    sent = 0
    try:
        for at in range(number):
            stream = 2 * at + 1
            connection.sendall(frame(1, 5, stream, HEADERS) +
                               frame(3, 0, stream, struct.pack(">I", 8)))
            sent += 1
    except OSError:
        pass
    goodbyes = [payload for kind, _, payload in frames(connection) if kind == 7]
    return {"sent": sent, "cut": sent < number or bool(goodbyes)}


def many_streams():
    """Opens streams that never end."""
    connection = http2()
    post = b"\x83\x87\x04\x0a/v1/screen\x01\x09localhost\x0f\x10\x08text/csv"
    try:
        for at in range(number):
            connection.sendall(frame(1, 4, 2 * at + 1, post))
    except OSError:
        pass
    got = list(frames(connection))
    refused = [stream for kind, stream, payload in got
               if kind == 3 and int.from_bytes(payload, "big") == 7]
    return {"refused": len(set(refused)), "cut": any(kind == 7 for kind, _, _ in got)}


print(json.dumps(globals()[manner]()), flush=True)
