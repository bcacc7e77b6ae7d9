"""Calls of the internal API as a careless or hostile service makes them.

bad_calls.py SERVER PROTO_DIR CERTIFICATES_DIR STUBS_DIR TENANT_ID SCENARIO < customer token

A scenario prints what it saw, a line each; a claim that does not hold is an exception.
"""

import sys
import threading
import time

import grpc
import stub_maker

server, proto, certificates, stubs, tenant, scenario = sys.argv[1:]
customer_token = sys.stdin.readline().strip()
stub_maker.make(proto, stubs)

from tresor.vault.v1 import context_pb2, field_pb2, record_service_pb2 as rs  # noqa: E402
from tresor.vault.v1 import record_service_pb2_grpc as rs_grpc  # noqa: E402

SERVICE = "/tresor.vault.v1.RecordService/"
context = context_pb2.RequestContext(tenant=tenant, customer_token=customer_token, request_id="b")
destination = rs.Destination(collection="customers")
opening = rs.IngestRequest(opening=rs.IngestOpening(context=context, destination=destination))


def new_channel():
    """A connection of its own."""
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0)]
    return grpc.secure_channel(server, stub_maker.credentials(certificates, "billing"), options)


def record(id, text="Anna"):
    return rs.RecordInput(id=id, fields=[
        field_pb2.Field(name="vorname", value=field_pb2.Value(text=text), info_type="FIRST_NAME")])


def batch(ids):
    return rs.IngestRequest(batch=rs.IngestBatch(records=[record(id) for id in ids]))


def put(channel, ids, **options):
    request = rs.PutRequest(
        context=context, destination=destination, records=[record(id) for id in ids])
    return rs_grpc.RecordServiceStub(channel).Put(request, **options)


def names(channel, ids):
    """The value of each record, or none where there is no record."""
    results = []
    for first in range(0, len(ids), 1000):
        results += rs_grpc.RecordServiceStub(channel).Get(rs.GetRequest(
            context=context, collection="customers", ids=ids[first:first + 1000],
            reveal=field_pb2.REVEAL_PLAIN)).results
    return [it.record.fields[0].value.text if it.HasField("record") else None for it in results]


def silence(over):
    """Messages that do not come until it is over."""
    over.wait()
    yield from ()


def begun_put(channel, over):
    """A Put whose message never comes."""
    return channel.stream_unary(SERVICE + "Put").future(silence(over)), "put"


def begun_ingest(channel, over):
    """A stream that is opened, and then silent."""
    def messages():
        yield opening
        yield from silence(over)
    return rs_grpc.RecordServiceStub(channel).Ingest(messages()), "ingest"


def hang():
    """Calls that go on until the vault ends them."""
    over, calls = threading.Event(), []
    for begin in (begun_put, begun_ingest):
        channel = new_channel()
        grpc.channel_ready_future(channel).result(timeout=20)
        calls.append(begin(channel, over))
    time.sleep(0.5)
    print("hanging", flush=True)
    for call, name in calls:
        print(f"{name} {call.code().name} {stub_maker.refusal(call)[0]}", flush=True)
    over.set()


SCENARIOS = {function.__name__: function for function in (hang,)}
SCENARIOS[scenario]()
