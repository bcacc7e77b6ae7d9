"""An honest client beside a hostile one: asks over one connection it keeps, and over new ones.

neighbour.py PORT CA CERTIFICATE KEY PATH

Its first line of input is a customer token. For each empty line more it tells, as JSON, what became
of its requests since the one before; for each other line, how many were served since.
"""

import http.client
import json
import ssl
import statistics
import sys
import threading
import time

port, authorities, certificate, key, path = sys.argv[1:]
headers = {"Tresor-Customer-Token": sys.stdin.readline().strip()}
tls = ssl.create_default_context(cafile=authorities)
tls.load_cert_chain(certificate, key)
lock, done = threading.Lock(), []


def connect():
    return http.client.HTTPSConnection("localhost", int(port), timeout=30, context=tls)


def ask(connection):
    begun, failure = time.monotonic(), None
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            failure = str(answer.status)
    except OSError as error:
        failure = repr(error)
        connection.close()
    with lock:
        done.append(((time.monotonic() - begun) * 1000, failure))


def go_on():
    kept = connect()
    while True:
        ask(kept)
        new = connect()
        ask(new)
        new.close()
        time.sleep(0.01)


threading.Thread(target=go_on, daemon=True).start()
for line in sys.stdin:
    if line.strip():
        with lock:
            print(sum(failure is None for _, failure in done), flush=True)
        continue
    with lock:
        since, done = done, []
    times = sorted(time for time, failure in since if failure is None) or [0.0]
    told = {"served": sum(failure is None for _, failure in since),
            "failed": sorted(failure for _, failure in since if failure is not None),
            "median_ms": round(statistics.median(times), 1), "worst_ms": round(times[-1], 1)}
    print(json.dumps(told), flush=True)
