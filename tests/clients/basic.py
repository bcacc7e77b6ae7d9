"""Shows a user and a password in every wrong way, and in the right ones (RFC 7617).

basic.py PORT CA CERTIFICATE KEY < customer token, user, password: a line each

Prints a line of JSON for each: its name, the status, the challenge, and the problem without what is
of this one request.
"""

import base64
import http.client
import json
import ssl
import sys

port, ca, certificate, key = sys.argv[1:]
customer_token, user, password = sys.stdin.read().splitlines()
tls = ssl.create_default_context(cafile=ca)
tls.load_cert_chain(certificate, key)


def encoded(text):
    return base64.b64encode(text.encode() if isinstance(text, str) else text)


right = encoded(f"{user}:{password}")
values = {
    "right": [b"Basic " + right],
    "right, lower case": [b"basic " + right],
    "right, upper case": [b"BASIC " + right],
    "right, more spaces": [b"Basic   " + right],
    "none": [],
    "empty": [b""],
    "scheme alone": [b"Basic"],
    "nothing encoded": [b"Basic "],
    "no scheme": [right],
    "bearer": [b"Bearer " + right],
    "digest": [b'Digest username="' + user.encode() + b'"'],
    "tab": [b"Basic\t" + right],
    "no colon": [b"Basic " + encoded(user)],
    "no user": [b"Basic " + encoded(":" + password)],
    "no password": [b"Basic " + encoded(user + ":")],
    "user in capitals": [b"Basic " + encoded(f"{user.upper()}:{password}")],
    "user with a space": [b"Basic " + encoded(f"{user} :{password}")],
    "user with a slash": [b"Basic " + encoded(f"../{user}:{password}")],
    "no base64": [b"Basic !" + right[1:]],
    "cut": [b"Basic " + right[:-3]],
    "with more behind": [b"Basic " + right + b", Basic " + right],
    "base64 for URLs": [b"Basic " + base64.urlsafe_b64encode(b"\xfb\xff\xfe:" + password.encode())],
    "no UTF-8": [b"Basic " + encoded(user.encode() + b":\xff\xfe\xfd" + password.encode())],
    "latin-1": [b"Basic " + encoded((user + ":Schl\xfcsselwort").encode("latin-1"))],
    "control character": [b"Basic " + encoded(f"{user}:{password}\x07")],
    "NUL": [b"Basic " + encoded(f"{user}:{password}\x00")],
    "too long": [b"Basic " + encoded(f"{user}:" + "x" * 129)],
    "oversized": [b"Basic " + encoded(f"{user}:" + "x" * 9000)],
    "twice": [b"Basic " + right, b"Basic " + right],
    "right and wrong": [b"Basic " + right, b"Basic " + encoded(user + ":a wrong password")],
    "wrong": [b"Basic " + encoded(user + ":a wrong password")],
}


def ask(name, shown):
    connection = http.client.HTTPSConnection("localhost", int(port), context=tls, timeout=60)
    connection.putrequest("GET", "/v1/collections/customers/records")
    connection.putheader("Tresor-Customer-Token", customer_token)
    for value in shown:
        connection.putheader("Authorization", value)
    connection.endheaders()
    answer = connection.getresponse()
    problem = json.loads(answer.read())
    problem.pop("request_id", None)
    if answer.status == 200:
        problem = None
    print(json.dumps({"name": name, "status": answer.status, "problem": problem,
                      "challenge": answer.headers.get("WWW-Authenticate")}))


for name, shown in values.items():
    ask(name, shown)
