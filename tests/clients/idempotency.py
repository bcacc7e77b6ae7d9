"""Repeats writes under idempotency keys with grpcio.

idempotency.py SERVER PROTO_DIR CERTIFICATES_DIR STUBS_DIR TENANT_ID < customer token
"""

import pathlib
import sys
import threading

import grpc
import grpc_tools
from grpc_tools import protoc

server, proto, certificates, stubs, tenant = sys.argv[1:]
customer_token = sys.stdin.read().strip()
proto, certificates = pathlib.Path(proto), pathlib.Path(certificates)
pathlib.Path(stubs).mkdir(exist_ok=True)
files = [str(f) for root in ("schema", "third_party") for f in (proto / root).rglob("*.proto")]
well_known = pathlib.Path(grpc_tools.__file__).parent / "_proto"
made = protoc.main(
    ["protoc", f"-I{proto / 'schema'}", f"-I{proto / 'third_party'}", f"-I{well_known}",
     f"--python_out={stubs}", f"--grpc_python_out={stubs}", *files])
assert made == 0, "the stubs are made"
sys.path.insert(0, stubs)

from google.rpc import status_pb2  # noqa: E402,F401
from tresor.vault.v1 import context_pb2, field_pb2, record_service_pb2 as rs  # noqa: E402
from tresor.vault.v1 import record_service_pb2_grpc as rs_grpc  # noqa: E402

passed = failed = 0
context = context_pb2.RequestContext(tenant=tenant, customer_token=customer_token, request_id="i")
destination = rs.Destination(collection="customers")
credentials = grpc.ssl_channel_credentials(*(
    (certificates / name).read_bytes() for name in ("ca.pem", "billing.key", "billing.pem")))
channel = grpc.secure_channel(server, credentials)
records = rs_grpc.RecordServiceStub(channel)


def check(claim, is_true):
    global passed, failed
    passed, failed = passed + bool(is_true), failed + (not is_true)
    if not is_true:
        print(f"failed: {claim}")


def record(number, ordinal=0):
    return rs.RecordInput(ordinal=ordinal, fields=[field_pb2.Field(
        name="vorname", value=field_pb2.Value(text=f"Anna {number}"), info_type="FIRST_NAME")])


def put(key, items):
    return list(records.Put(rs.PutRequest(
        context=context, destination=destination, idempotency_key=key, records=items)).results)


def opening(key):
    return rs.IngestRequest(opening=rs.IngestOpening(
        context=context, destination=destination, idempotency_key=key))


def batch(items):
    return rs.IngestRequest(batch=rs.IngestBatch(records=items))


def stored(results):
    return [(r.stored.id, r.stored.revision) for r in results]


def count():
    number, token = 0, ""
    while True:
        page = records.List(rs.ListRequest(
            context=context, collection="customers", page_size=1000, page_token=token))
        number, token = number + len(page.results), page.next_page_token
        if not token:
            return number


first = put("k", [record(n) for n in range(1, 6)])
again = put("k", [record(n) for n in range(1, 6)])
check("a repeat has the same ids and revisions", stored(again) == stored(first))
check("a repeat says so", not any(r.stored.replayed for r in first)
      and all(r.stored.replayed for r in again))
check("a repeat stores nothing", count() == 5)
part = put("k", [record(4, ordinal=4), record(2, ordinal=2)])
check("ordinals name the items that are repeated",
      stored(part) == [stored(first)[3], stored(first)[1]])

other = put("k", [record(1), record("other"), record(3)])
check("another record under the key is a conflict, alone",
      [r.status.code for r in other] == [0, grpc.StatusCode.ABORTED.value[0], 0])
check("a conflict stores nothing", count() == 5)

# A stream is broken off after its first answer; then it is sent again in other batches.
hold = threading.Event()


def broken_stream():
    yield opening("s")
    yield batch([record(n) for n in range(1, 31)])
    yield batch([record(n) for n in range(31, 61)])
    hold.wait()


call = records.Ingest(broken_stream())
told = stored(next(call).results)
call.cancel()
hold.set()
sizes = [7, 40, 53]
numbers = iter(range(1, 101))
messages = [opening("s"), *(batch([record(next(numbers)) for _ in range(size)]) for size in sizes)]
answers = [r for a in records.Ingest(iter(messages)) for r in a.results]
check("every item of the stream is stored", all(r.stored.id for r in answers))
check("what was told is told again", stored(answers)[:30] == told)
check("what was told is marked as stored before", all(r.stored.replayed for r in answers[:30]))
check("no item is stored twice", count() == 105)
check("Put recognises what Ingest stored", put("s", [record(1)])[0].stored.replayed)

for key in ["a" * 129, "two words", "quo\"ted", "back\\slash", "l\u00f6ffel"]:
    try:
        put(key, [record(1)])
        check("a key out of its alphabet is refused", False)
    except grpc.RpcError as error:
        check("a key out of its alphabet is refused",
              error.code() == grpc.StatusCode.INVALID_ARGUMENT)
check("refused keys store nothing", count() == 105)

print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
