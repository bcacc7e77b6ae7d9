"""An upload that stays open between two rows, over HTTP/1.1.

open_upload.py PORT CA CERTIFICATE KEY

Reads the headers that show who it is from its input, up to an empty line; sends a row, waits until
it is told as stored and says "open". When its input goes on it sends another row, ends the upload
and prints the lines it was told from then on.
"""

import socket
import ssl
import sys

port, ca, certificate, key = sys.argv[1:]
headers = "".join(line.strip() + "\r\n" for line in iter(sys.stdin.readline, "\n"))
tls = ssl.create_default_context(cafile=ca)
tls.load_cert_chain(certificate, key)
connection = tls.wrap_socket(socket.create_connection(("localhost", int(port)), timeout=60),
                             server_hostname="localhost")


def send(rows):
    connection.sendall(f"{len(rows):x}\r\n{rows}\r\n".encode())


connection.sendall(("POST /v1/collections/customers/records HTTP/1.1\r\nHost: localhost\r\n"
                    "Content-Type: text/csv\r\nConnection: close\r\n"
                    f"{headers}Transfer-Encoding: chunked\r\n\r\n").encode())
send("vorname\nAnna\n")
told = b""
while b'"status":"stored"' not in told:
    read = connection.recv(65536)
    assert read, f"the edge hung up: {told}"
    told += read
print("open", flush=True)
sys.stdin.readline()
try:
    send("Berta\n")
    connection.sendall(b"0\r\n\r\n")
    told = b""
    while read := connection.recv(65536):
        told += read
except OSError as error:
    print(error, file=sys.stderr)
# Lines come in chunks, with sizes between them.
print(*(line for line in told.decode().splitlines() if line.startswith("{")), sep="\n")
