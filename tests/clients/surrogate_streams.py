"""Streams of values and surrogates, by grpcio, as careful and careless services use them.

surrogate_streams.py SERVER PROTO_DIR CERTIFICATES_DIR STUBS_DIR TENANT_ID SCENARIO NUMBER

The customer token comes by the input. Prints `ready` once it is, waits for a line, plays its scenario
and tells what it saw as JSON; a claim that does not hold is an exception.
"""

import collections
import json
import sys
import threading
import time

import grpc
import stub_maker

server, proto, certificates, stubs, tenant, scenario, number = sys.argv[1:]
customer_token = sys.stdin.readline().strip()
number = int(number)
stub_maker.make(proto, stubs)

from tresor.vault.v1 import context_pb2, field_pb2, surrogate_service_pb2 as ss  # noqa: E402
from tresor.vault.v1 import surrogate_service_pb2_grpc as ss_grpc  # noqa: E402

BATCH = 1_000
# Of streams that are cut off and repeated.
PART = 300
context = context_pb2.RequestContext(tenant=tenant, customer_token=customer_token, request_id="s")
OPTIONS = ss.SurrogateOptions(info_type="LAST_NAME")


def new_service():
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0),
               ("grpc.http2.bdp_probe", 0)]
    channel = grpc.secure_channel(server, stub_maker.credentials(certificates, "billing"), options)
    return channel, ss_grpc.SurrogateServiceStub(channel)


def value(at):
    return f"Mustermann-{at}"


def batch(first, count=BATCH):
    items = [ss.TokenizeItem(value=field_pb2.Value(text=value(at)), reference=str(at))
             for at in range(first, first + count)]
    return ss.TokenizeStreamRequest(batch=ss.TokenizeBatch(items=items))


def opening(key=""):
    return ss.TokenizeStreamRequest(opening=ss.TokenizeOpening(
        context=context, options=OPTIONS, idempotency_key=key))


def detokenize_opening(reveal=field_pb2.REVEAL_PLAIN):
    return ss.DetokenizeStreamRequest(
        opening=ss.DetokenizeOpening(context=context, reveal=reveal))


def surrogates_of(answer, first):
    """The surrogates of a batch; every value has one, in order."""
    assert [it.reference for it in answer.results] == [
        str(first + at) for at in range(len(answer.results))], "out of order"
    assert all(it.HasField("issued") for it in answer.results), "a value was refused"
    return [it.issued.surrogate for it in answer.results]


def volume():
    """So many values through one stream, and their surrogates through one back, a batch at a time."""
    channel, service = new_service()
    made = collections.deque()
    answered = threading.Semaphore(4)

    def values():
        yield opening()
        for first in range(0, number, BATCH):
            answered.acquire()
            yield batch(first)

    for at, answer in enumerate(service.TokenizeStream(values())):
        made.append(surrogates_of(answer, at * BATCH))
        answered.release()
    everything = sum(map(len, made))
    assert everything == number, everything
    assert len(set().union(*made)) == number, "a surrogate came twice"

    def surrogates():
        yield detokenize_opening()
        for texts in made:
            answered.acquire()
            yield ss.DetokenizeStreamRequest(batch=ss.DetokenizeBatch(
                items=[ss.SurrogateItem(surrogate=text) for text in texts]))

    back = 0
    for answer in service.DetokenizeStream(surrogates()):
        for it in answer.results:
            assert it.revealed.value.text == value(back), back
            back += 1
        answered.release()
    channel.close()
    return {"tokenized": everything, "detokenized": back}


def known(service, texts):
    """How many of these surrogates there are; each shows the value it was made for."""
    there = 0
    for first in range(0, len(texts), BATCH):
        part = texts[first:first + BATCH]
        answer = service.Detokenize(ss.DetokenizeRequest(
            context=context, reveal=field_pb2.REVEAL_PLAIN,
            items=[ss.SurrogateItem(surrogate=text) for text in part]))
        for at, it in enumerate(answer.results, first):
            assert it.revealed.value.text == value(at), it
            there += 1
    return there


def half_way():
    """Streams that are cancelled, or whose client is gone: repeated under their key, each value has
    the surrogate it was told of."""
    replayed = 0
    for turn in range(number):
        key, told, over = f"turn-{turn}-{tenant}", [], threading.Event()

        def values():
            yield opening(key)
            for first in range(0, 4 * PART, PART):
                yield batch(first, PART)
            over.wait()

        channel, service = new_service()
        call = service.TokenizeStream(values())
        for at, answer in zip(range(turn % 4), call):
            told += surrogates_of(answer, at * PART)
        if turn % 2:
            call.cancel()
        # The connection goes with its streams, in the middle of a batch or behind it.
        channel.close()
        over.set()

        channel, service = new_service()
        again = []
        repeat = service.TokenizeStream(iter(
            [opening(key), *(batch(first, PART // 2) for first in range(0, 4 * PART, PART // 2))]))
        for at, answer in enumerate(repeat):
            again += surrogates_of(answer, at * PART // 2)
            replayed += sum(it.issued.replayed for it in answer.results)
        assert again[:len(told)] == told, "a value that was answered has another surrogate"
        assert len(set(again)) == len(again) == 4 * PART
        assert known(service, again) == len(again)
        channel.close()
    return {"replayed": replayed}


def deaf():
    """Streams whose answers nobody reads: the vault stops reading them, and serves others."""
    taken, over = collections.Counter(), threading.Event()

    def values(stream):
        yield opening()
        while not over.is_set():
            taken[stream] += 1
            yield batch(0)

    services = [new_service() for _ in range(number)]
    calls = [service.TokenizeStream(values(at)) for at, (_, service) in enumerate(services)]
    before = None
    for _ in range(60):
        time.sleep(0.5)
        if taken == before:
            break
        before = taken.copy()
        assert taken.total() < 1_000 * number, "it reads on and on"
    channel, other = new_service()
    answer = other.Tokenize(ss.TokenizeRequest(
        context=context, options=OPTIONS, items=batch(0, 1).batch.items), timeout=20)
    assert known(other, [answer.results[0].issued.surrogate]) == 1, "nobody else is served"
    over.set()
    for call, (deaf_channel, _) in zip(calls, services):
        call.cancel()
        deaf_channel.close()
    channel.close()
    return {"batches": taken.total()}


def code_of(answers):
    """What came before the end of a stream, and the code it ended with."""
    before = []
    try:
        before += answers
        return before, "OK"
    except grpc.RpcError as error:
        return before, stub_maker.refusal(error)[0]


def disorder():
    """Streams that do not begin as they should, or go on as they should not."""
    channel, service = new_service()
    wrong = customer_token[:-1] + ("a" if customer_token[-1] != "a" else "b")
    strange = context_pb2.RequestContext(tenant=tenant, customer_token=wrong)
    refused = ss.TokenizeStreamRequest(
        opening=ss.TokenizeOpening(context=strange, options=OPTIONS))
    told = {}
    for name, messages in (
            ("no opening", [batch(0, 1)]), ("nothing", []), ("an empty message", [
                ss.TokenizeStreamRequest()]),
            ("a wrong customer token", [refused, batch(0, 1)]),
            ("two openings", [opening(), batch(0, 1), opening()]),
            ("too many values", [opening(), batch(0, 1), batch(0, BATCH + 1)]),
            ("no values", [opening(), batch(0, 1), batch(0, 0)])):
        before, code = code_of(service.TokenizeStream(iter(messages)))
        told[name] = [len(before), code]
    item = ss.SurrogateItem(surrogate="srg_x")
    before, code = code_of(service.DetokenizeStream(iter([
        detokenize_opening(), ss.DetokenizeStreamRequest(batch=ss.DetokenizeBatch(items=[item])),
        detokenize_opening()])))
    told["surrogates, then an opening"] = [len(before), code]
    channel.close()
    return told


print("ready", flush=True)
sys.stdin.readline()
print(json.dumps({"volume": volume, "half_way": half_way, "deaf": deaf,
                  "disorder": disorder}[scenario]()), flush=True)
