"""Calls of the internal API as a careless or hostile service makes them.

bad_calls.py SERVER PROTO_DIR CERTIFICATES_DIR STUBS_DIR TENANT_ID SCENARIO < customer token

A scenario prints what it saw, a line each; a claim that does not hold is an exception.
"""

import collections
import socket
import ssl
import subprocess
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
    """A connection of its own, with windows that do not grow."""
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0),
               ("grpc.http2.bdp_probe", 0)]
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


def assert_served():
    """Somebody else is served."""
    with new_channel() as channel:
        for _ in range(50):
            try:
                put(channel, ["other"], timeout=20)
                assert names(channel, ["other"]) == ["Anna"]
                return
            except grpc.RpcError as error:
                # Seats that were taken a moment ago.
                assert stub_maker.refusal(error) == ("overloaded", True), error
                time.sleep(0.1)
    raise AssertionError("nobody else is served")


def assert_whole(channel, ids, acknowledged=()):
    found = dict(zip(ids, names(channel, ids), strict=True))
    assert set(found.values()) <= {"Anna", None}, "a record is half there"
    assert all(found[id] == "Anna" for id in acknowledged), "an acknowledged record is lost"
    return sum(name is not None for name in found.values())


def code_of(call):
    try:
        call()
        return "OK", ("", False)
    except grpc.RpcError as error:
        return error.code().name, stub_maker.refusal(error)


def curl(message, *headers):
    """A Put by a client without a clock of its own; the header of the answer."""
    files = [argument for name, file in (("cacert", "ca.pem"), ("cert", "billing.pem"),
                                         ("key", "billing.key"))
             for argument in (f"--{name}", f"{certificates}/{file}")]
    headers = ["content-type: application/grpc", "te: trailers", *headers]
    ran = subprocess.run(
        ["curl", "--silent", "--http2", "--max-time", "20", *files, "--data-binary", "@-",
         "--output", "/dev/null", "--dump-header", "-",
         *(argument for header in headers for argument in ("--header", header)),
         f"https://{server}{SERVICE}Put"],
        input=b"\0" + len(message).to_bytes(4, "big") + message, capture_output=True, check=False)
    return ran.stdout.decode("latin1").lower()


def deadline():
    """Batches whose callers stop waiting at any moment."""
    first = rs.PutRequest(context=context, destination=destination, records=[record("d")])
    # curl may show nothing of an answer that comes before it has sent its message.
    answers = (curl(first.SerializeToString(), "grpc-timeout: 1m") for _ in range(10))
    answer = next(filter(None, answers), "no answer at all")
    assert "grpc-status: 4\r" in answer, answer
    with new_channel() as channel:
        put(channel, ["warm"], timeout=20)
        kept = exceeded = 0
        for turn in range(20):
            ids = [f"d{turn}-{number}" for number in range(500)]
            code, _ = code_of(lambda: put(channel, ids, timeout=0.004 * (turn + 1)))
            assert code in ("OK", "DEADLINE_EXCEEDED"), code
            exceeded += code != "OK"
            kept += assert_whole(channel, ids, ids if code == "OK" else ())
        assert exceeded > 0, "no deadline was met"
    print(f"{exceeded} of 20 batches exceeded their deadline, {kept} records were kept")
    assert_served()


def unknown():
    """Methods and messages that there are not."""
    with new_channel() as channel:
        for path in (SERVICE + "Nonesuch", "/tresor.vault.v1.NoService/Put", "/a.B/C"):
            call = channel.unary_unary(path)
            assert code_of(lambda: call(b"x", timeout=20))[0] == "UNIMPLEMENTED", path
        garbage = channel.unary_unary(SERVICE + "Put")
        code, (_, is_retryable) = code_of(lambda: garbage(b"\xff" * 99, timeout=20))
        assert code in ("INTERNAL", "INVALID_ARGUMENT") and not is_retryable, code
    assert_served()


def frame(kind, flags, stream, payload=b""):
    head = len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big")
    return head + payload


def literal(name, value):
    """A header field as HPACK writes it without its tables."""
    return b"\x10" + bytes([len(name)]) + name + b"\x7f" + integer(len(value) - 127) + value


def integer(number):
    digits = bytearray()
    while number >= 128:
        digits.append(number % 128 + 128)
        number //= 128
    return bytes([*digits, number])


PATH = (SERVICE + "Put").encode()
HEAD = (b"\x83\x87\x04" + bytes([len(PATH)]) + PATH + b"\x01\x09localhost"
        + b"\x10\x0ccontent-type\x10application/grpc" + b"\x10\x02te\x08trailers")
DATA, HEADERS, RESET, SETTINGS, CONTINUATION, END_HEADERS = 0, 1, 3, 4, 9, 4


def raw():
    """A connection that speaks HTTP/2 as it likes."""
    tls = ssl.create_default_context(cafile=f"{certificates}/ca.pem")
    tls.load_cert_chain(f"{certificates}/billing.pem", f"{certificates}/billing.key")
    tls.set_alpn_protocols(["h2"])
    host, port = server.split(":")
    connection = tls.wrap_socket(socket.create_connection((host, int(port)), 20),
                                 server_hostname=host)
    connection.settimeout(20)
    connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0))
    return connection


def send_until_refused(connection, frames):
    """How many bytes of the frames it took before it closed the connection."""
    taken = 0
    try:
        for bytes_ in frames:
            connection.sendall(bytes_)
            taken += len(bytes_)
        return None
    except OSError:
        return taken


def metadata():
    """Headers that are too large, too many, or never end."""
    small = rs.PutRequest(context=context, destination=destination, records=[record("m")])
    for headers in (["x-large: " + "x" * 40_000], [f"x-{number}: x" for number in range(2_000)]):
        answer = curl(small.SerializeToString(), *headers)
        assert "grpc-status: 0" not in answer and "http/2 200" not in answer, answer
    many = frame(CONTINUATION, 0, 1, literal(b"x-flood", b"x" * 16_000))
    flood = [frame(HEADERS, 0, 1, HEAD)] + [many] * 4_000
    with raw() as connection:
        taken = send_until_refused(connection, flood)
    assert taken is not None, "64 MB of headers were taken"
    print(f"{taken} bytes of endless headers were taken")
    assert_served()


def streams():
    """More streams than are allowed, and streams that are opened and reset at once."""
    opened = [frame(HEADERS, END_HEADERS, 2 * number + 1, HEAD) for number in range(1_000)]
    with raw() as connection:
        send_until_refused(connection, opened)
    assert_served()
    reset = [it + frame(RESET, 0, 2 * number + 1, bytes(4)) for number, it in enumerate(opened)]
    for _ in range(20):
        with raw() as connection:
            send_until_refused(connection, reset)
    assert_served()


def half_way():
    """Clients that go away in the middle of a message, and in the middle of a stream."""
    begun = frame(HEADERS, END_HEADERS, 1, HEAD)
    begun += frame(DATA, 0, 1, b"\0" + (1_000_000).to_bytes(4, "big") + b"x" * 1_000)
    for _ in range(50):
        with raw() as connection:
            connection.sendall(begun)
    for turn in range(10):
        batches = [[f"h{turn}-{part}-{n}" for n in range(100)] for part in range(6)]
        acknowledged, over = [], threading.Event()

        def messages():
            yield opening
            yield from map(batch, batches)
            yield from silence(over)

        with new_channel() as channel:
            answers = rs_grpc.RecordServiceStub(channel).Ingest(messages())
            for ids, _ in zip(batches[:turn % 4], answers):
                acknowledged += ids
        over.set()
        with new_channel() as channel:
            assert_whole(channel, sum(batches, []), acknowledged)
    assert_served()


def crowd():
    """More calls at once than there are seats; what is refused is told when to come back."""
    over, calls = threading.Event(), []
    channels = [new_channel() for _ in range(5)]
    for number in range(40):
        calls.append(begun_put(channels[number % 5], over)[0])
    for _ in range(75):
        refused = [call for call in calls if call.done()]
        if len(refused) >= len(calls) - 8:
            break
        time.sleep(0.2)
    codes = {(call.code().name, stub_maker.refusal(call)) for call in refused}
    print(f"{len(refused)} of {len(calls)} calls were refused")
    assert codes == {("UNAVAILABLE", ("overloaded", True))}, codes
    assert len(calls) - len(refused) == 8, "as many as there are seats go on"
    with new_channel() as channel:
        health = channel.unary_unary("/grpc.health.v1.Health/Check")
        assert health(b"", timeout=20) == b"\x08\x01", "a busy vault is not a dead one"
        assert code_of(lambda: put(channel, ["c"], timeout=20))[0] == "UNAVAILABLE"
    over.set()
    for channel in channels:
        channel.close()
    assert_served()


def deaf():
    """Streams whose answers nobody reads: the vault stops reading them, and serves others."""
    taken, over = collections.Counter(), threading.Event()

    def messages(stream):
        yield opening
        while not over.is_set():
            taken[stream] += 1
            yield batch([f"s{stream}-{number}" for number in range(1_000)])

    channels = [new_channel() for _ in range(4)]
    calls = [rs_grpc.RecordServiceStub(channel).Ingest(messages(number))
             for number, channel in enumerate(channels)]
    before = None
    for _ in range(60):
        time.sleep(0.5)
        if taken == before:
            break
        before = taken.copy()
        assert taken.total() < 4_000, "it reads on and on"
    assert_served()
    print(f"{taken.total()} batches were taken in all")
    over.set()
    for call, channel in zip(calls, channels):
        call.cancel()
        channel.close()
    assert_served()


SCENARIOS = {function.__name__: function for function in (
    crowd, deadline, deaf, half_way, hang, metadata, streams, unknown)}
SCENARIOS[scenario]()
