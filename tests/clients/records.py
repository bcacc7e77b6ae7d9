"""Drives the internal API with grpcio, with stubs made from the .proto files here and now.

records.py SERVER PROTO_DIR CERTIFICATES_DIR STUBS_DIR TENANT_ID < customer token
"""

import sys

import grpc
import stub_maker

server, proto, certificates, stubs, tenant = sys.argv[1:]
customer_token = sys.stdin.read().strip()
stub_maker.make(proto, stubs)

from google.rpc import status_pb2  # noqa: E402,F401
from tresor.vault.v1 import context_pb2, field_pb2, record_service_pb2 as rs  # noqa: E402
from tresor.vault.v1 import record_service_pb2_grpc as rs_grpc  # noqa: E402

passed = failed = 0


def check(claim, is_true):
    global passed, failed
    if is_true:
        passed += 1
    else:
        failed += 1
        print(f"failed: {claim}")


channel = grpc.secure_channel(server, stub_maker.credentials(certificates, "billing"))
records = rs_grpc.RecordServiceStub(channel)


def context(secret=customer_token):
    return context_pb2.RequestContext(tenant=tenant, customer_token=secret, request_id="py-1")


def record(id, name):
    return rs.RecordInput(id=id, reference=f"ref {id}", fields=[
        field_pb2.Field(name="vorname", value=field_pb2.Value(text=name), info_type="FIRST_NAME"),
        field_pb2.Field(name="betrag", value=field_pb2.Value(json="1.10"))])


def refused(call, code):
    try:
        call()
    except grpc.RpcError as error:
        return error.code() == code
    return False


destination = rs.Destination(collection="customers")
put = records.Put(rs.PutRequest(
    context=context(), destination=destination,
    records=[record("p1", "Anna"), record("not an id", "Bo"), record("p2", "Cleo")]))
check("a bad item fails alone", [r.WhichOneof("outcome") for r in put.results]
      == ["stored", "status", "stored"])
check("references are echoed in order", [r.reference for r in put.results]
      == ["ref p1", "ref not an id", "ref p2"])

got = records.Get(rs.GetRequest(
    context=context(), collection="customers", ids=["p2", "p1"], reveal=field_pb2.REVEAL_PLAIN))
values = [r.record.fields[0].value.text for r in got.results]
check("values come back in the order asked for", values == ["Cleo", "Anna"])
check("a number keeps its literal", got.results[0].record.fields[1].value.json == "1.10")

masked = records.Get(rs.GetRequest(context=context(), collection="customers", ids=["p1"]))
check("masked is the default", masked.results[0].record.fields[0].value.text == "A.")


def stream():
    yield rs.IngestRequest(
        opening=rs.IngestOpening(context=context(), destination=destination))
    for batch in range(3):
        yield rs.IngestRequest(batch=rs.IngestBatch(
            records=[record(f"s{batch}-{i}", "Dora") for i in range(100)]))


answers = list(records.Ingest(stream()))
check("each batch is acknowledged", [len(a.results) for a in answers] == [100, 100, 100])
check("every item of the stream is stored",
      all(r.WhichOneof("outcome") == "stored" for a in answers for r in a.results))

ids, token = [], ""
while True:
    page = records.List(rs.ListRequest(
        context=context(), collection="customers", page_size=128, page_token=token))
    ids += [r.id for r in page.results]
    token = page.next_page_token
    if not token:
        break
check("listing gives every record once in order", ids == sorted(set(ids)) and len(ids) == 302)

deleted = records.Delete(rs.DeleteRequest(
    context=context(), collection="customers", ids=["p1", "p9"]))
check("deleting tells each item", [r.HasField("status") for r in deleted.results]
      == [False, True])

wrong = customer_token[:-1] + ("a" if customer_token[-1] != "a" else "b")
check("a wrong customer token is unauthenticated", refused(
    lambda: records.Get(rs.GetRequest(context=context(wrong), collection="customers", ids=["p2"])),
    grpc.StatusCode.UNAUTHENTICATED))
check("1,001 items are refused", refused(
    lambda: records.Get(rs.GetRequest(
        context=context(), collection="customers", ids=[f"x{i}" for i in range(1001)])),
    grpc.StatusCode.OUT_OF_RANGE) or refused(
    lambda: records.Get(rs.GetRequest(
        context=context(), collection="customers", ids=[f"x{i}" for i in range(1001)])),
    grpc.StatusCode.INVALID_ARGUMENT))
check("a message over 4 MiB is refused", refused(
    lambda: records.Put(rs.PutRequest(
        context=context(), destination=destination,
        records=[rs.RecordInput(fields=[field_pb2.Field(
            name=f"f{i}", value=field_pb2.Value(binary=bytes(60000)))]) for i in range(80)])),
    grpc.StatusCode.OUT_OF_RANGE))

print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
