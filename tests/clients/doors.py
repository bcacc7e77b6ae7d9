"""The vault's two doors for a client that keeps to the error table.

A call is repeated only when its refusal says that it may be (a code of the table that is retryable,
with its delay) or when nobody knows how it ended (the connection broke), which every call here is
fit for: writes carry an idempotency key. Everything else is `Refused`, and counts as a failed
request. Import it once `stub_maker` has made the stubs.
"""

import collections
import copy
import http.client
import json
import ssl
import threading
import time

import grpc
import stub_maker
from tresor.vault.v1 import context_pb2, field_pb2, record_service_pb2 as rs
from tresor.vault.v1 import record_service_pb2_grpc as rs_grpc

from people import record, texts, version_in, version_of

# `conflict` is "by the caller": not here, where no two callers change the same thing.
RETRYABLE = {"rate_limited", "overloaded", "locked", "storage_unavailable", "deadline_exceeded"}
# What a call meets whose connection breaks.
BROKEN = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNKNOWN}
# Longer than any restart takes on a busy machine; and for what may be killed often before it ends.
PATIENCE_SECONDS, PATIENCE_OF_OPERATORS_SECONDS = 90, 900


class Refused(Exception):
    """A request that failed; `code` is that of the error table."""

    def __init__(self, code, detail=""):
        super().__init__(f"{code} {detail}")
        self.code = code


class Again(Exception):
    """A request that may be repeated after a delay."""

    def __init__(self, code, delay):
        super().__init__(code)
        self.code, self.delay = code, delay


class Counts:
    """What was done, by many threads."""

    def __init__(self):
        self.counts, self.lock = collections.Counter(), threading.Lock()

    def add(self, kind, number=1):
        with self.lock:
            self.counts[kind] += number

    def copy(self):
        with self.lock:
            return self.counts.copy()


def until_answered(counts, kind, call, patience=PATIENCE_SECONDS):
    """The answer to a call, and whether it was repeated."""
    is_repeat, begun = False, time.monotonic()
    while True:
        try:
            answer = call()
            counts.add("requests")
            counts.add(kind)
            return answer, is_repeat
        except Again as again:
            if time.monotonic() - begun > patience:
                raise Refused(again.code, f"{kind}, for {patience} seconds") from again
            counts.add(f"retried, {again.code}")
            time.sleep(again.delay)
            is_repeat = True
        except Refused:
            counts.add(f"failed, {kind}")
            raise


def call_grpc(method, request, timeout=20):
    try:
        return method(request, timeout=timeout)
    except grpc.RpcError as error:
        code, _ = stub_maker.refusal(error)
        if code in RETRYABLE:
            raise Again(code, stub_maker.delay(error)) from error
        if not code and error.code() in BROKEN:
            raise Again("connection", 0.05) from error
        raise Refused(code or error.code().name, error.details()) from error


def new_channel(server, certificates, service):
    # Of its own, and never long between two attempts to connect.
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0),
               ("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 200),
               ("grpc.min_reconnect_backoff_ms", 5_000)]
    return grpc.secure_channel(server, stub_maker.credentials(certificates, service), options)


class ServiceDoor:
    """Records as a service has them: gRPC, straight to the vault."""

    name = "vault"

    def __init__(self, counts, channel, tenant, customer_token):
        self.counts, self.records = counts, rs_grpc.RecordServiceStub(channel)
        self.context = context_pb2.RequestContext(
            tenant=tenant, customer_token=customer_token, request_id="s")

    def ask(self, kind, method, request):
        return until_answered(self.counts, kind, lambda: call_grpc(method, request))

    def put(self, wanted, key):
        answer, _ = self.ask("put", self.records.Put, rs.PutRequest(
            context=self.context, destination=rs.Destination(collection="customers"),
            idempotency_key=key, records=[record(*one) for one in wanted.items()]))
        for id, result in zip(wanted, answer.results, strict=True):
            if result.WhichOneof("outcome") != "stored":
                self.counts.add("failed, put")
                raise Refused("put", f"{id}: {result.status}")

    def get(self, ids):
        answer, _ = self.ask("get", self.records.Get, rs.GetRequest(
            context=self.context, collection="customers", ids=ids, reveal=field_pb2.REVEAL_PLAIN))
        return {result.id: self.version(result) for result in answer.results}

    def list(self, after="", size=100):
        answer, _ = self.ask("list", self.records.List, rs.ListRequest(
            context=self.context, collection="customers", page_size=size, page_token=after,
            reveal=field_pb2.REVEAL_PLAIN))
        return ({result.id: self.version(result) for result in answer.results},
                answer.next_page_token)

    def delete(self, ids):
        answer, is_repeat = self.ask("delete", self.records.Delete, rs.DeleteRequest(
            context=self.context, collection="customers", ids=ids))
        for result in answer.results:
            # Repeated, it answers `not_found` for what it has deleted.
            if result.HasField("status") and not (is_repeat and result.status.code == 5):
                self.counts.add("failed, delete")
                raise Refused("delete", f"{result.id}: {result.status}")

    @staticmethod
    def version(result):
        is_absent = result.WhichOneof("outcome") == "status" and result.status.code == 5
        return 0 if is_absent else version_of(result.id, result)


class CustomerDoor:
    """Records and keys as a customer has them: HTTPS, through the edge."""

    name = "edge"

    def __init__(self, counts, edge, authority, identity, customer_token):
        self.counts, self.edge, self.customer_token = counts, edge, customer_token
        self.tls = ssl.create_default_context(cafile=authority)
        self.tls.load_cert_chain(f"{identity}.pem", f"{identity}.key")
        self.connection = None

    def holding(self, customer_token):
        """The same customer with another customer token."""
        door = copy.copy(self)
        door.customer_token, door.connection = customer_token, None
        return door

    def ask(self, kind, method, path, body=None, key=None, accepted=()):
        """The status and the body of an answer; `accepted` are refusals that are right."""
        headers = {"Content-Type": "application/json", "Tresor-Customer-Token": self.customer_token}
        if key:
            headers["Idempotency-Key"] = key
        return until_answered(
            self.counts, kind, lambda: self.once(method, path, body, headers, accepted))

    def once(self, method, path, body, headers, accepted):
        try:
            if self.connection is None:
                self.connection = http.client.HTTPSConnection(
                    self.edge, context=self.tls, timeout=40)
            self.connection.request(method, path, body and json.dumps(body), headers)
            response = self.connection.getresponse()
            text = response.read().decode()
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            self.connection = None
            raise Again("connection", 0.05) from error
        answer = json.loads(text) if text else None
        if response.status < 400 or response.status in accepted:
            return response.status, answer
        if answer["code"] in RETRYABLE:
            raise Again(answer["code"], float(response.headers.get("Retry-After", 1)))
        raise Refused(answer["code"], f"{method} {text}")

    RECORDS = "/v1/collections/customers/records"

    def put(self, wanted, key):
        [(id, version)] = wanted.items()
        path, body = f"{self.RECORDS}?id_field=nr", {"nr": id} | texts(id, version)
        self.ask("put", "POST", path, body, key)

    def get(self, ids):
        [id] = ids
        (status, answer), _ = self.ask(
            "get", "GET", f"{self.RECORDS}/{id}?reveal=plain", accepted=[404])
        return {id: 0 if status == 404 else self.version(answer)}

    def list(self, after="", size=100):
        path = f"{self.RECORDS}?reveal=plain&page_size={size}" + f"&page_token={after}" * bool(after)
        (_, answer), _ = self.ask("list", "GET", path)
        return ({one["id"]: self.version(one) for one in answer["records"]},
                answer["next_page_token"] or "")

    def delete(self, ids):
        [id] = ids
        (status, _), is_repeat = self.ask(
            "delete", "DELETE", f"{self.RECORDS}/{id}", accepted=[404])
        if status == 404 and not is_repeat:
            self.counts.add("failed, delete")
            raise Refused("not_found", f"delete of {id}")

    @staticmethod
    def version(answer):
        return version_in(answer["id"], answer.get("record") or {})
