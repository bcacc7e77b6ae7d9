"""A customer token that is revoked between two requests, over one connection of grpcio.

revoked.py SERVER PROTO_DIR CERTIFICATES_DIR STUBS_DIR TENANT_ID

Reads the customer token from its input, uses it until the vault has its keys cached, and says
"open"; when its input says so, the token has been revoked, and it tells what became of its calls.
"""

import queue
import sys

import grpc
import stub_maker

server, proto, certificates, stubs, tenant = sys.argv[1:]
customer_token = sys.stdin.readline().strip()
stub_maker.make(proto, stubs)

from tresor.vault.v1 import context_pb2, field_pb2, record_service_pb2 as rs  # noqa: E402
from tresor.vault.v1 import record_service_pb2_grpc as rs_grpc  # noqa: E402

channel = grpc.secure_channel(server, stub_maker.credentials(certificates, "billing"))
records = rs_grpc.RecordServiceStub(channel)
context = context_pb2.RequestContext(tenant=tenant, customer_token=customer_token)
destination = rs.Destination(collection="customers")


def record(id):
    return rs.RecordInput(id=id, fields=[field_pb2.Field(
        name="vorname", value=field_pb2.Value(text="Anna"), info_type="FIRST_NAME")])


def get():
    return records.Get(rs.GetRequest(context=context, collection="customers", ids=["before"],
                                     reveal=field_pb2.REVEAL_PLAIN))


def list_all():
    return records.List(rs.ListRequest(context=context, collection="customers",
                                       reveal=field_pb2.REVEAL_PLAIN))


def put():
    return records.Put(rs.PutRequest(context=context, destination=destination,
                                     records=[record("after-put")]))


def delete():
    return records.Delete(rs.DeleteRequest(context=context, collection="customers",
                                           ids=["before"]))


def code(call):
    try:
        call()
    except grpc.RpcError as error:
        return error.code().name
    return "OK"


messages = queue.Queue()
answers = records.Ingest(iter(messages.get, None))
messages.put(rs.IngestRequest(
    opening=rs.IngestOpening(context=context, destination=destination)))
messages.put(rs.IngestRequest(batch=rs.IngestBatch(records=[record("before")])))
assert next(answers).results[0].WhichOneof("outcome") == "stored"
assert get().results[0].record.fields[0].value.text == "Anna"
assert len(list_all().results) == 1
print("open", flush=True)

sys.stdin.readline()
messages.put(rs.IngestRequest(batch=rs.IngestBatch(records=[record("after-ingest")])))
print("ingest", code(lambda: next(answers)))
for name, call in [("get", get), ("list", list_all), ("put", put), ("delete", delete)]:
    print(name, code(call))
messages.put(None)
