"""Begins an upload over HTTP/1.1, and hangs up in the middle of a row.

cut_upload.py PORT CA CERTIFICATE KEY PATH IDEMPOTENCY_KEY BODY ROWS < customer token

Sends the first half of the file, waits until ROWS rows at least are told as stored, and closes the
connection. Prints the lines it was told.
"""

import pathlib
import socket
import ssl
import sys

port, ca, certificate, key, path, idempotency_key, body, rows = sys.argv[1:]
customer_token = sys.stdin.read().strip()
tls = ssl.create_default_context(cafile=ca)
tls.load_cert_chain(certificate, key)
connection = tls.wrap_socket(socket.create_connection(("localhost", int(port)), timeout=60),
                             server_hostname="localhost")
half = pathlib.Path(body).read_bytes()
half = half[:len(half) // 2]
assert not half.endswith(b"\n"), "the cut lies in a row"
connection.sendall(
    f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\n"
    f"Tresor-Customer-Token: {customer_token}\r\nIdempotency-Key: \"{idempotency_key}\"\r\n"
    f"Transfer-Encoding: chunked\r\n\r\n{len(half):x}\r\n".encode() + half + b"\r\n")
told = b""
while told.count(b'"status":"stored"') < int(rows):
    read = connection.recv(65536)
    assert read, f"the edge hung up: {told}"
    told += read
connection.close()
# Lines come in chunks, with sizes between them.
print(*(line for line in told.decode().splitlines() if line.startswith('{"row"')), sep="\n")
