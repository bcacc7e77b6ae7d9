"""Whoever is one tenant, at whatever is another's: every method and every route.

matrix.py DATA_PLANE EDGE_PORT PROTO_DIR CERTIFICATES_DIR STUBS_DIR OWN_DIR OTHER_DIR OWN_ID OTHER_ID

The methods are those of the descriptors, the routes those of /openapi.json; one without a case here
is a mistake. The customer tokens come by the input, own and other. Tells, as JSON, how many calls
were made, and what went wrong with which.
"""

import http.client
import json
import pathlib
import re
import ssl
import sys

import grpc
import stub_maker

(server, edge_port, proto, certificates, stubs, own_dir, other_dir, own, other) = sys.argv[1:]
own_token, other_token = (sys.stdin.readline().strip() for _ in range(2))
stub_maker.make(proto, stubs)

from google.protobuf import json_format, message_factory  # noqa: E402
from tresor.vault.v1 import (  # noqa: E402
    access_service_pb2, collection_service_pb2, context_pb2, customer_token_service_pb2,
    key_service_pb2, record_service_pb2, seal_service_pb2, surrogate_service_pb2,
    tenant_service_pb2)

FILES = [access_service_pb2, collection_service_pb2, customer_token_service_pb2, key_service_pb2,
         record_service_pb2, seal_service_pb2, surrogate_service_pb2, tenant_service_pb2]
# Of the operator: no tenant calls them, and the data plane has none of them.
OPERATORS = {"TenantService", "KeyService", "SealService", "CollectionService/PutCollection",
             "CollectionService/AnalyzeCollection", "CollectionService/GetInventory",
             "CollectionService/BuildIndex"}
# What only customers call, through an edge that shows whom it saw; a service is refused as such.
CUSTOMERS = {"CustomerTokenService", "AccessService"}
# What a client may without a customer token: what is its tenant's follows from its certificate.
WITHOUT_TOKEN = {"AccessService", "CollectionService", "CustomerTokenService/Enrol"}
RECORD = {"id": "m1", "fields": [{"name": "vorname", "value": {"text": "Anna"},
                                  "info_type": "FIRST_NAME"}]}
NEVER = "14fhprYCYlTyUewFx"
OPTIONS, VALUE = {"info_type": "FIRST_NAME"}, {"value": {"text": "Anna"}}
SURROGATE = {"surrogate": "{surrogate}"}


def token_id(text):
    return text.split("_")[1]


# Each method with its message, beside the context; `{collection}`, `{record}`, `{token}` and
# `{surrogate}` are the objects.
METHODS = {
    "RecordService/Put": {"destination": {"collection": "{collection}"}, "records": [RECORD]},
    "RecordService/Ingest": {"opening": {"destination": {"collection": "{collection}"}}},
    "RecordService/Get": {"collection": "{collection}", "ids": ["{record}"], "reveal": 3},
    "RecordService/List": {"collection": "{collection}", "reveal": 3},
    "RecordService/Delete": {"collection": "{collection}", "ids": ["{record}"]},
    "RecordService/Search": {"collection": "{collection}", "reveal": 3,
                             "terms": [{"field": "vorname", **VALUE}]},
    "SurrogateService/Tokenize": {"options": OPTIONS, "items": [VALUE]},
    "SurrogateService/TokenizeStream": {"opening": {"options": OPTIONS}},
    "SurrogateService/Detokenize": {"items": [SURROGATE], "reveal": 3},
    "SurrogateService/DetokenizeStream": {"opening": {"reveal": 3}},
    "SurrogateService/Describe": {"items": [SURROGATE]},
    "SurrogateService/Renew": {"items": [SURROGATE]},
    "SurrogateService/Delete": {"items": [SURROGATE]},
    "CollectionService/GetCollection": {"name": "{collection}"},
    "CollectionService/ListCollections": {},
    "AccessService/Introspect": {},
    "AccessService/Login": {"user": "anna", "password": "no such password"},
    "AccessService/ChangePassword": {"user": "anna", "password": "no such password",
                                     "new_password": "none at all, and long"},
    "CustomerTokenService/Enrol": {"enrolment_code": "tre_nonsense"},
    "CustomerTokenService/Issue": {"kind": 1, "name": "another"},
    "CustomerTokenService/Rotate": {"id": "{token}"},
    "CustomerTokenService/Revoke": {"id": "{token}"},
    "CustomerTokenService/List": {},
    "CustomerTokenService/Lend": {"lifetime": "600s", "dry_run": True},
}
# Of the streams, what follows the opening.
BATCHES = {
    "RecordService/Ingest": {"records": [RECORD]},
    "SurrogateService/TokenizeStream": {"items": [VALUE]},
    "SurrogateService/DetokenizeStream": {"items": [SURROGATE]},
}
# Each route with its body; nothing of a tenant is at those without a customer token.
ROUTES = {
    "POST /v1/collections/{collection}/records": '{"vorname":"Anna"}',
    "GET /v1/collections/{collection}/records": None,
    "GET /v1/collections/{collection}/records/{id}": None,
    "DELETE /v1/collections/{collection}/records/{id}": None,
    "POST /v1/collections/{collection}/records:search":
        '{"terms":[{"field":"vorname","value":"Anna"}]}',
    "POST /v1/tokenize": '{"info_type":"FIRST_NAME","items":[{"value":"Anna"}]}',
    "POST /v1/detokenize": '{"reveal":"plain","items":[{"surrogate":"srg_city_1"}]}',
    "POST /v1/surrogates:renew": '{"items":[{"surrogate":"srg_city_1"}]}',
    "GET /v1/keys/tokens": None,
    "POST /v1/keys/tokens": '{"kind":"read_write"}',
    "POST /v1/keys/tokens/{id}:rotate": "{}",
    "POST /v1/keys/tokens/{id}:revoke": "{}",
    "POST /v1/keys/tokens/{id}:lend": "{}",
}
ROUTES_WITHOUT_TOKEN = {
    "GET /healthz", "GET /readyz", "GET /metrics", "GET /openapi.json", "GET /v1/limits",
    # Nothing is stored or read; whose policy it goes by is tried below.
    "POST /v1/screen",
    # The code is the tenant's; `a_tenant_enrols_once_with_its_own_code` tries another's.
    "POST /v1/enrol",
    # The user is the tenant's; none is there whom another could be.
    "POST /v1/password",
}
calls, wrong = 0, {}


def note(name, is_right, told):
    global calls
    calls += 1
    if not is_right:
        wrong[name] = str(told)


def in_any(name, names):
    return name in names or name.split("/")[0] in names


def evidence(directory, address="127.0.0.1"):
    text = (pathlib.Path(directory) / "client.pem").read_text()
    blocks = re.findall("-----BEGIN CERT.*?END CERTIFICATE-----\n", text, re.DOTALL)
    leaf, *chain = map(ssl.PEM_cert_to_DER_cert, blocks)
    return context_pb2.ClientEvidence(leaf_der=leaf, chain_der=chain, source_address=address)


def context(tenant, customer_token, shown=None):
    return context_pb2.RequestContext(tenant=tenant, customer_token=customer_token, evidence=shown)


OWN, OTHER = evidence(own_dir), evidence(other_dir)
# Contexts in which something is another's. Those of the second table agree but for the customer
# token.
STRANGE = {
    "all but the evidence is the other's": context(other, other_token, OWN),
    "the tenant is the other's": context(other, own_token, OWN),
    "the evidence is the other's": context(own, own_token, OTHER),
    "no evidence": context(other, other_token),
    "no evidence at all": context(own, own_token),
    "from elsewhere": context(own, own_token, evidence(own_dir, "203.0.113.9")),
    "a certificate with a wrong bit": context(own, own_token, context_pb2.ClientEvidence(
        leaf_der=OWN.leaf_der[:-1] + bytes([OWN.leaf_der[-1] ^ 1]), chain_der=OWN.chain_der,
        source_address="127.0.0.1")),
}
STRANGE_TOKEN = {
    "the customer token is the other's": context(own, other_token, OWN),
    "only the customer token is one's own": context(other, own_token, OTHER),
    "no customer token": context(own, "", OWN),
}
STRANGE_SERVICE = {
    "a tenant that was not granted": context(other, other_token),
    "a tenant that was not granted, with evidence": context(other, other_token, OTHER),
}


def filled(value, objects):
    if isinstance(value, dict):
        return {key: filled(one, objects) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, objects) for one in value]
    return value.format(**objects) if isinstance(value, str) else value


def methods():
    """The methods of the descriptors."""
    for file in FILES:
        for service in file.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                yield f"{service.name}/{method.name}", method


def called(channel, method, messages):
    """The code, our own code and the text of what is answered; of items, those of the first."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    kind = message_factory.GetMessageClass(method.output_type)
    call = channel.stream_stream(path, type(messages[0]).SerializeToString, kind.FromString)
    try:
        answer = next(call(iter(messages), timeout=30), None)
    except grpc.RpcError as error:
        return error.code().name, stub_maker.refusal(error)[0], error.details()
    items = getattr(answer, "results", None)
    status = getattr(items[0], "status", None) if items else None
    return ("OK", status.code, status.message) if status else ("OK",)


def message_of(name, method, given, objects=None):
    objects = THERE | (objects or {})
    kind = message_factory.GetMessageClass(method.input_type)
    message = json_format.ParseDict(filled(METHODS[name], objects), kind())
    if name not in BATCHES:
        message.context.CopyFrom(given)
        return [message]
    message.opening.context.CopyFrom(given)
    return [message, json_format.ParseDict({"batch": filled(BATCHES[name], objects)}, kind())]


def try_methods():
    edge, billing = (grpc.secure_channel(server, stub_maker.credentials(certificates, service))
                     for service in ("edge", "billing"))
    refusals, not_granted = {}, {}
    for name, method in methods():
        if in_any(name, OPERATORS):
            empty = message_factory.GetMessageClass(method.input_type)()
            for service, channel in (("edge", edge), ("billing", billing)):
                not_granted[name, service] = called(channel, method, [empty])
            continue
        if name not in METHODS:
            note(name, False, "it has no case")
            continue
        is_without = in_any(name, WITHOUT_TOKEN)
        strange = STRANGE | ({} if is_without else STRANGE_TOKEN)
        for case, given in strange.items():
            refusals[name, case] = called(edge, method, message_of(name, method, given))
        for case, given in STRANGE_SERVICE.items():
            answer = called(billing, method, message_of(name, method, given))
            is_edges = in_any(name, CUSTOMERS) or given.HasField("evidence")
            (not_granted if is_edges else refusals)[name, case] = answer
        try_own(edge, name, method)
    all_alike(refusals, "UNAUTHENTICATED")
    all_alike(not_granted, "PERMISSION_DENIED")


def all_alike(answers, code):
    """That all were refused, with one code and one text."""
    first = next(iter(answers.values()))
    for name, answer in answers.items():
        note(": ".join(name), answer == first and answer[0] == code, answer)


def try_own(edge, name, method):
    """One's own identity is served; what is another's looks as if it were not there."""
    given = context(own, own_token, OWN)
    foreign = {"collection": "only-other", "record": "r2", "token": token_id(other_token),
               "surrogate": OTHER_SURROGATE}
    # What is another's surrogate is to everybody else one that is mistyped.
    absent = {"collection": "nowhere", "record": "r3", "token": NEVER,
              "surrogate": mistyped(THERE["surrogate"])}
    for thing in foreign:
        if f"{{{thing}}}" not in json.dumps([METHODS[name], BATCHES.get(name)]):
            continue
        answers = [called(edge, method, message_of(name, method, given, {thing: objects[thing]}))
                   for objects in (foreign, absent)]
        note(f"{name}: another's {thing}", answers[0] == answers[1], answers)
        is_refused = answers[0][0] != "OK" or len(answers[0]) > 1 and answers[0][1] != 0
        note(f"{name}: another's {thing}", is_refused or name == "RecordService/Delete", answers)
    # Last: rotating makes the customer token another one.
    if name in ("CustomerTokenService/Rotate", "CustomerTokenService/Revoke") or "user" in METHODS[name]:
        return
    answer = called(edge, method, message_of(name, method, given))
    if name != "CustomerTokenService/Enrol":
        note(f"{name}: one's own", answer[0] == "OK", answer)


def try_routes():
    document = json.loads(asked(own_dir, "GET", "/openapi.json", own_token)[1])
    routes = [(method.upper(), path) for path, item in document["paths"].items() for method in item]
    note("the routes", len(routes) > 10, routes)
    try_objects("POST", "/v1/screen?collection={collection}", '{"vorname":"Anna"}')
    refusals = {}
    for method, path in routes:
        name = f"{method} {path}"
        if name in ROUTES_WITHOUT_TOKEN:
            continue
        if name not in ROUTES:
            note(name, False, "it has no case")
            continue
        for case, directory, token in (("the customer token is the other's", own_dir, other_token),
                                       ("the certificate is the other's", other_dir, own_token),
                                       ("no customer token", own_dir, None)):
            # What is lent is the customer token that is shown.
            shown = token_id(token or own_token)
            there = path.format(collection="customers", id=shown if "tokens" in path else "r1")
            refusals[name, case] = asked(directory, method, there, token, ROUTES[name])
        try_objects(method, path, ROUTES[name])
    all_alike(refusals, 401)


def try_objects(method, path, body):
    """What is another's looks as if it were not there."""
    own_objects = {"collection": "customers", "id": "r1"}
    if "tokens" in path:
        pairs = {"id": (token_id(other_token), NEVER)}
    else:
        pairs = {"collection": ("only-other", "nowhere"), "id": ("r2", "r3")}
    for thing, objects in pairs.items():
        if f"{{{thing}}}" not in path:
            continue
        answers = [asked(own_dir, method, path.format(**own_objects | {thing: one}), own_token,
                         body) for one in objects]
        note(f"{method} {path}: another's {thing}", answers[0] == answers[1], answers)
        note(f"{method} {path}: another's {thing}", answers[0][0] in (400, 404), answers)


def asked(directory, method, path, customer_token, body=None):
    """The status and the body, without what differs from request to request."""
    directory = pathlib.Path(directory)
    tls = ssl.create_default_context(cafile=f"{certificates}/ca.pem")
    tls.load_cert_chain(directory / "client.pem", directory / "client.key")
    connection = http.client.HTTPSConnection("localhost", int(edge_port), timeout=30, context=tls)
    headers = {"Tresor-Customer-Token": customer_token} if customer_token else {}
    if body is not None:
        headers["Content-Type"] = "application/json"
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    text = re.sub(r'"request_id":"[^"]*"', "", answer.read().decode())
    connection.close()
    return answer.status, text


def made(directory, customer_token):
    """A surrogate."""
    told = asked(directory, "POST", "/v1/tokenize", customer_token, ROUTES["POST /v1/tokenize"])[1]
    return json.loads(told)["results"][0]["surrogate"]


def mistyped(surrogate):
    return surrogate[:-1] + ("0" if surrogate[-1] != "0" else "1")


OTHER_SURROGATE = made(other_dir, other_token)
THERE = {"collection": "customers", "record": "r1", "token": token_id(own_token),
         "surrogate": made(own_dir, own_token)}
try_methods()
try_routes()
print(json.dumps({"calls": calls, "wrong": wrong}))
