"""Holds the answers of the external API against its own OpenAPI document, with jsonschema.

conformance.py DOCUMENT PORT CA CERTIFICATE KEY CODE < customer token

Every operation is asked for things that are there, that are not, and that make no sense. Status,
content type and body of each answer must be as the document says.
"""

import http.client
import json
import ssl
import sys

from jsonschema import Draft202012Validator

document_file, port, ca, certificate, key, code_file = sys.argv[1:]
customer_token = sys.stdin.read().strip()
document = json.load(open(document_file))
tls = ssl.create_default_context(cafile=ca)
tls.load_cert_chain(certificate, key)
methods = ("get", "post", "put", "delete", "patch", "options", "head")
asked = passed = 0
failures = []
refused = set()
granted = set()

RECORDS = "/v1/collections/{collection}/records"
RECORD = RECORDS + "/{id}"
SEARCH = RECORDS + ":search"
TOKENS = "/v1/keys/tokens"
JSON, LINES, CSV = "application/json", "application/x-ndjson", "text/csv"
GOOD_JSON = '{"nr":"r1","vorname":"Anna","tief":{"betrag":1.10,"leer":[]}}'
GOOD_CSV = "nr;vorname;iban\nr2;Bo;DE89370400440532013000\nr3\nr4;Cleo;x\n"


def check(claim, is_true):
    global passed
    if is_true:
        passed += 1
    else:
        failures.append(claim)


def resolved(part):
    while "$ref" in part:
        at = document
        for name in part["$ref"].removeprefix("#/").split("/"):
            at = at[name]
        part = at
    return part


def errors(schema, value):
    # References point into the whole document.
    schema = {**schema, "components": document["components"]}
    return [error.message[:200] for error in Draft202012Validator(schema).iter_errors(value)]


def ask(method, path, body=None, query="", values=(), **headers):
    """Sends a request of an operation and holds its answer against the document."""
    global asked
    asked += 1
    url = path
    for name, value in dict(values).items():
        url = url.replace("{" + name + "}", value)
    connection = http.client.HTTPSConnection("localhost", int(port), context=tls, timeout=60)
    names = {name.replace("_", "-"): value for name, value in headers.items() if value is not None}
    connection.request(method.upper(), url + query, body and body.encode(), names)
    answer = connection.getresponse()
    content = answer.read()
    claim = f"{method} {url}{query} {names.get('Content-Type', '')}: {answer.status}"
    check(f"{claim} is no fault of the server", answer.status < 500)
    check(f"{claim} has a request id", answer.headers.get("X-Request-Id"))
    (granted if answer.status < 300 else refused).add((method, path))
    told = document["paths"][path][method]["responses"].get(str(answer.status))
    check(f"{claim} is in the document", told is not None)
    if told is not None:
        hold(claim, resolved(told), answer, content)
    return answer.status, content


def hold(claim, told, answer, content):
    media_types = told.get("content", {})
    media_type = answer.headers.get("Content-Type", "").split(";")[0]
    if not media_types:
        check(f"{claim} has no body", content == b"")
        return
    check(f"{claim} is {media_type}", media_type in media_types)
    schema = media_types.get(media_type, {}).get("schema", {})
    texts = content.splitlines() if media_type == LINES else [content]
    for text in texts:
        wrong = errors(schema, json.loads(text))
        check(f"{claim} fits its schema: {wrong[:1]}", not wrong)


def shown(**headers):
    return {"Tresor_Customer_Token": customer_token, **headers}


def typed(content_type):
    return shown(Content_Type=content_type)


here = {"collection": "customers", "id": "r1"}
for body, content_type in ((GOOD_JSON, JSON), ("[" + GOOD_JSON + ",{},7]", JSON),
                           (GOOD_JSON + "\n{\n", LINES), (GOOD_CSV, CSV)):
    for query in ("?id_field=nr", "?id_field=nr&explain=true", "?id_field=nr&results=rejected"):
        ask("post", RECORDS, body, query, here, **typed(content_type))
    ask("post", "/v1/screen", body, "", Content_Type=content_type)
    ask("post", "/v1/screen", body, "?collection=customers", Content_Type=content_type)
for body, content_type in (("", CSV), ("a;a\n1;2\n", CSV), ("{", JSON), ("7", JSON), ("{}", JSON),
                           ('{"a":1}', "application/pdf"), ('{"a":1}', JSON + ";charset=latin1"),
                           ('{"nr":"DE89370400440532013000"}', JSON), ("\0\n\0", LINES)):
    for query in ("?id_field=nr", "?explain=vielleicht", "?page_size=1"):
        ask("post", RECORDS, body, query, here, **typed(content_type))
    ask("post", "/v1/screen", body, Content_Type=content_type)
ask("post", RECORDS, GOOD_CSV, "", {"collection": "nobody"}, **typed(CSV))
ask("post", "/v1/screen", GOOD_CSV, "?collection=Nobody", Content_Type=CSV)

for query in ("", "?reveal=plain", "?reveal=redacted", "?reveal=all", "?reveal=plain&reveal=plain"):
    ask("get", RECORD, query=query, values=here, **shown())
    ask("get", RECORDS, query=query, values=here, **shown())
for query in ("?page_size=1", "?page_size=0", "?page_size=1001", "?page_token=%00", "?page_token=x"):
    ask("get", RECORDS, query=query, values=here, **shown())
for record_id in ("r9", "%20", "%00", "a" * 129):
    for method in ("get", "delete"):
        ask(method, RECORD, values={**here, "id": record_id}, **shown())
for wrong in (None, "", "trsr_x", customer_token[:-1]):
    for method, path in (("get", RECORD), ("get", RECORDS), ("delete", RECORD), ("post", RECORDS)):
        status, _ = ask(method, path, values=here, Tresor_Customer_Token=wrong)
        check(f"{method} {path} with a wrong customer token is 401", status == 401)
ask("delete", RECORD, values=here, **shown())

VALUES = ('{"info_type":"CITY","items":[{"value":"Burg","reference":"a"},{"value":7},{"value":[]}]}',
          '{"items":[{"value":"4111111111111111","info_type":"CREDIT_CARD_NUMBER",'
          '"kind":"format-preserving"},{"value":"x","info_type":"CITY","kind":"deterministic"}]}',
          '{"info_type":"CITY","reveal":"masked","expires":"2100-01-01T00:00:00Z","uses":1,'
          '"items":[{"value":"Burg"}]}')
surrogates = []
for number, body in enumerate(VALUES):
    status, content = ask("post", "/v1/tokenize", body, Idempotency_Key=f"k{number}", **typed(JSON))
    check(f"{body} is traded", status == 200)
    surrogates += [it["surrogate"] for it in json.loads(content)["results"] if "surrogate" in it]
for reveal in ("redacted", "masked", "plain"):
    items = [{"surrogate": it} for it in (*surrogates, "srg_x", "")]
    items.append({"surrogate": surrogates[2], "info_type": "CREDIT_CARD_NUMBER", "key_version": 1})
    body = json.dumps({"reveal": reveal, "items": items})
    status, _ = ask("post", "/v1/detokenize", body, **typed(JSON))
    check(f"surrogates are traded {reveal}", status == 200)
for version in (1, 2, 0):
    items = [{"surrogate": it, "key_version": version} for it in (*surrogates, "srg_x", "")]
    body = json.dumps({"info_type": "CREDIT_CARD_NUMBER", "items": items})
    status, _ = ask("post", "/v1/surrogates:renew", body, **typed(JSON))
    check(f"surrogates of key {version} are answered as told", status == (200 if version else 400))
for path in ("/v1/tokenize", "/v1/detokenize", "/v1/surrogates:renew"):
    for body in ("", "{", "7", '{"items":{}}', '{"items":[]}', '{"items":[{"value":1,"x":2}]}',
                 '{"kind":"none","items":[{"value":1}]}', '{"reveal":"all","items":[]}',
                 '{"items":[' + ",".join(['{"value":1}'] * 1001) + "]}", " " * 5_000_000):
        ask("post", path, body, **typed(JSON))
ask("post", "/v1/tokenize", VALUES[0], Idempotency_Key="ü", **typed(JSON))
for body in ('{"terms":[{"field":"vorname","value":"Cleo"}]}', "", '{"terms":[]}', '{"terms":7}',
             '{"terms":[{"field":"iban","value":"x"}]}', '{"terms":[{"field":"","value":null}]}',
             '{"terms":[{"field":"vorname","value":"Cleo"}],"page_size":1001}',
             '{"terms":[{"field":"vorname","value":"Cleo"}],"page_token":"%"}',
             '{"terms":[' + ",".join(['{"field":"vorname","value":1}'] * 9) + "]}"):
    ask("post", SEARCH, body, values=here, **typed(JSON))
ask("post", SEARCH, '{"terms":[{"field":"vorname","value":"x"}]}', "", {"collection": "nobody"},
    **typed(JSON))
for path in (SEARCH, "/v1/tokenize", "/v1/detokenize", "/v1/surrogates:renew"):
    status, _ = ask("post", path, "{}", values=here, Tresor_Customer_Token=customer_token[:-1])
    check(f"{path} with a wrong customer token is 401", status == 401)

for body in ("", "{}", '{"enrolment_code":"tre_x"}', '{"enrolment_code":7}', "x" * 5000):
    ask("post", "/v1/enrol", body, Content_Type=JSON)
issued = []
for order in ({"kind": "write_only", "name": "Ämter", "classes": ["contact"]},
              {"kind": "grant", "operations": ["read_masked"], "expires": "2100-01-01T00:00:00Z",
               "bound_certificate": "ab" * 32}, {"kind": "recovery"}, {"kind": "admin"}):
    status, content = ask("post", TOKENS, json.dumps(order), **typed(JSON))
    check(f"{order} is granted", status == 201)
    issued.append(json.loads(content)["issued"]["id"])
for order in ("", "{", "7", '{"kind":"r"}', '{"kind":"grant","operations":["write","lend"]}',
              '{"kind":"grant","classes":["names"]}', '{"kind":"grant","expires":"1999-01-01T00:00:00Z"}',
              '{"kind":"grant","name":"' + "a" * 65 + '"}', "x" * 5000):
    ask("post", TOKENS, order, **typed(JSON))
own = customer_token.split("_")[1]
for loan in ({}, {"dry_run": True}, {"classes": ["contact"], "lifetime_seconds": 60}):
    status, _ = ask("post", TOKENS + "/{id}:lend", json.dumps(loan), "", {"id": own}, **typed(JSON))
    check(f"{loan} is granted", status == 200)
for verb, bodies in (("rotate", ("", '{"overlap_seconds":60}', '{"overlap_seconds":-1}',
                                 '{"overlap_seconds":99999999}', "{", "x" * 5000)),
                     ("lend", ("", '{"lifetime_seconds":0}', '{"classes":["names"]}', "7")),
                     ("revoke", ("{}", '{"confirmation":"x"}', '{"confirm":"x"}', "7"))):
    for at in (*issued, "0" * 17, "x", "%00"):
        for body in bodies:
            ask("post", TOKENS + "/{id}:" + verb, body, values={"id": at}, **typed(JSON))
own = customer_token.split("_")[1]
ask("get", TOKENS, **shown())
ask("get", TOKENS, query="?all=1", **shown())
for wrong in (None, "trsr_x", customer_token[:-1]):
    for method, path in (("get", TOKENS), ("post", TOKENS), ("post", TOKENS + "/{id}:rotate"),
                         ("post", TOKENS + "/{id}:revoke")):
        status, _ = ask(method, path, values={"id": own}, Tresor_Customer_Token=wrong)
        check(f"{method} {path} with a wrong customer token is 401", status == 401)

for body in ("", '{"new_password":"elevenbytes"}', '{"new_password":7}', "x" * 5000):
    for user in (None, "Bearer x", "Basic cGxhbm5lcjphIHdyb25nIHBhc3N3b3Jk"):
        status, _ = ask("post", "/v1/password", body, Content_Type=JSON, Authorization=user)
        check("a password is not changed without the old one", status in (400, 401, 413))

code = json.dumps({"enrolment_code": open(code_file).read().strip()})
for _ in range(2):
    ask("post", "/v1/enrol", code, Content_Type=JSON)
for path in ("/v1/limits", "/openapi.json", "/healthz", "/readyz"):
    ask("get", path)
ask("get", "/v1/limits", X_Long="x" * 20_000)

operations = {(method, path) for path, item in document["paths"].items()
              for method in item if method in methods}
check(f"every operation was granted: {operations - granted}", granted == operations - {
    # The code is used up already; nobody has a password.
    ("post", "/v1/enrol"), ("post", "/v1/password")})
for path in document["paths"]:
    for method in ("get", "post", "put", "delete", "patch"):
        if (method, path) in operations:
            continue
        connection = http.client.HTTPSConnection("localhost", int(port), context=tls, timeout=60)
        connection.request(method.upper(), path.format(collection="customers", id="r1"))
        answer = connection.getresponse()
        check(f"{method} {path} is not allowed: {answer.status}", answer.status == 405)
        check(f"{method} {path} names what is", answer.headers.get("Allow"))

for failure in failures:
    print(f"failed: {failure}")
print(f"{asked} asked, {passed} passed, {len(failures)} failed")
sys.exit(1 if failures else 0)
