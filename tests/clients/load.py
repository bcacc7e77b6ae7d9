"""Mixed load on the internal API, with a journal of what was acknowledged, through many crashes.

load.py SERVER EDGE_URL PROTO_DIR CERTIFICATES_DIR STUBS_DIR TENANT_ID JOURNAL SEED < commands

The first line of the input is the customer token. Then, one command a line:

load [DIRECTORY]  begins load on several threads, which goes on until the vault dies; with a
                  directory of a registered tenant its customer enrols, somewhere in between
wait              waits until the vault is dead to all threads
patience          begins load that goes on, refused or not, while storage is unavailable
stop              ends the patient load
progress          tells what was done since it was last asked
check             compares the running vault with the journal, whole
end               tells what was done

Every record belongs to one thread, which has one call under way at most. So what a record may be
after a crash is what was acknowledged last, or what the one call under way would make of it; after
a refusal for want of storage, what the call refused would have made of it is possible too. Calls
with an idempotency key that nobody answered are repeated before the comparison: a record that is
there twice, or that the repeat does not know, is a mistake.
"""

import collections
import http.client
import json
import pathlib
import random
import ssl
import sys
import threading
import time

import grpc
import stub_maker

server, edge, proto, certificates, stubs, tenant, journal_path, seed = sys.argv[1:]
customer_token = sys.stdin.readline().strip()
certificates = pathlib.Path(certificates)
stub_maker.make(proto, stubs)

from people import ABSENT, record, version_of  # noqa: E402
from tresor.vault.v1 import context_pb2, field_pb2, record_service_pb2 as rs  # noqa: E402
from tresor.vault.v1 import record_service_pb2_grpc as rs_grpc  # noqa: E402

THREADS = 4
IDS_OF_A_THREAD = 120
# What a call under way may meet when the vault dies; any other refusal is a mistake.
DEATH = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNKNOWN)
context = context_pb2.RequestContext(tenant=tenant, customer_token=customer_token, request_id="l")
destination = rs.Destination(collection="customers")
credentials = stub_maker.credentials(certificates, "billing")


class Journal:
    """What was asked and what was acknowledged, a line each, flushed before anything else."""

    def __init__(self, path):
        self.file, self.lock = open(path, "a", encoding="ascii"), threading.Lock()
        self.known = collections.defaultdict(int)  # id: the version acknowledged last
        self.asked = collections.defaultdict(set)  # id: versions that nobody acknowledged
        self.keyed = {}  # idempotency key: the versions of a call that nobody acknowledged
        self.counts = collections.Counter()

    def write(self, *words):
        self.file.write(" ".join(map(str, words)) + "\n")
        self.file.flush()

    def begin(self, kind, versions):
        with self.lock:
            for id, version in versions.items():
                self.asked[id].add(version)
            self.write("asked", kind, *versions)

    def begin_keyed(self, key, versions):
        with self.lock:
            self.keyed[key] = versions
            self.write("asked", "keyed", key, *versions)

    def acknowledge(self, kind, id, version):
        with self.lock:
            self.write("acknowledged", kind, id, version)
            self.known[id] = version
            self.asked.pop(id, None)
            self.counts[kind] += 1

    def settle(self, id, version):
        """What is found after a crash is what there is from now on."""
        is_new = version != self.known[id]
        if id in self.asked:
            self.counts["unanswered, kept" if is_new else "unanswered, not kept"] += 1
        if is_new:
            self.write("found", id, version)
        self.known[id] = version
        self.asked.pop(id, None)


journal = Journal(journal_path)
mistakes = []
stopped = threading.Event()
versions = iter(range(1, 1 << 60))
versions_lock = threading.Lock()


def next_version():
    with versions_lock:
        return next(versions)


def take_results(kind, ids, wanted, results):
    for id, result in zip(ids, results, strict=True):
        if result.WhichOneof("outcome") == "stored":
            journal.acknowledge(kind, id, wanted[id])
        else:
            mistakes.append(f"{kind} of {id} was refused: {result.status}")


def put(records, dice, ids, size, kind):
    ids = dice.sample(ids, size)
    wanted = {id: next_version() for id in ids}
    journal.begin(kind, wanted)
    request = rs.PutRequest(context=context, destination=destination,
                            records=[record(id, wanted[id]) for id in ids])
    take_results(kind, ids, wanted, records.Put(request, timeout=20).results)


def put_keyed(records, dice):
    """Stores records under ids that the vault makes; unanswered, it is repeated after the crash."""
    key = f"key-{next_version()}"
    journal.begin_keyed(key, [next_version() for _ in range(dice.choice([1, 5, 20]))])
    send_keyed(records, key)


def send_keyed(records, key):
    versions = journal.keyed[key]
    request = rs.PutRequest(context=context, destination=destination, idempotency_key=key,
                            records=[record("", version) for version in versions])
    results = records.Put(request, timeout=20).results
    for version, result in zip(versions, results, strict=True):
        if result.WhichOneof("outcome") == "stored":
            kind = "keyed, kept before" if result.stored.replayed else "keyed"
            journal.acknowledge(kind, result.stored.id, version)
        else:
            mistakes.append(f"{key} was refused: {result.status}")
    del journal.keyed[key]


def is_made(id):
    """Whether the vault made an id; ours begin with a letter that no UUID has."""
    return not id.startswith("t")


def ingest(records, dice, ids):
    chosen = dice.sample(ids, 60)
    batches = [chosen[i:i + 12] for i in range(0, 60, 12)]
    wanted = {id: next_version() for id in chosen}
    journal.begin("ingest", wanted)

    def messages():
        yield rs.IngestRequest(opening=rs.IngestOpening(context=context, destination=destination))
        for batch in batches:
            yield rs.IngestRequest(batch=rs.IngestBatch(
                records=[record(id, wanted[id]) for id in batch]))

    for batch, answer in zip(batches, records.Ingest(messages(), timeout=20)):
        take_results("ingest", batch, wanted, answer.results)


def delete(records, dice, ids):
    present = [id for id in ids if journal.known[id] != ABSENT]
    chosen = dice.sample(present, min(len(present), dice.choice([1, 5, 20])))
    if not chosen:
        return
    journal.begin("delete", dict.fromkeys(chosen, ABSENT))
    request = rs.DeleteRequest(context=context, collection="customers", ids=chosen)
    for result in records.Delete(request, timeout=20).results:
        if result.HasField("status"):
            mistakes.append(f"delete of {result.id} was refused: {result.status}")
        else:
            journal.acknowledge("delete", result.id, ABSENT)


def one_call(records, dice, ids, kinds):
    kind = dice.choice(kinds)
    if kind == "keyed":
        put_keyed(records, dice)
    elif kind == "put":
        put(records, dice, ids, 1, "put")
    elif kind == "batch":
        put(records, dice, ids, dice.choice([2, 10, 40]), "batch")
    elif kind == "ingest":
        ingest(records, dice, ids)
    else:
        delete(records, dice, ids)


def is_storage_unavailable(error):
    is_told = error.code() == grpc.StatusCode.UNAVAILABLE
    return is_told and stub_maker.refusal(error) == ("storage_unavailable", True)


def work(channel, thread, turn, is_patient):
    dice = random.Random(f"{seed} {thread} {turn}")
    ids = [f"t{thread}-{n}" for n in range(IDS_OF_A_THREAD)]
    records = rs_grpc.RecordServiceStub(channel)
    kinds = ["put", "put", "batch", "ingest", "delete"] + ["keyed"] * (not is_patient)
    while not (is_patient and stopped.is_set()):
        try:
            one_call(records, dice, ids, kinds)
        except grpc.RpcError as error:
            if is_patient and is_storage_unavailable(error):
                journal.counts["refused"] += 1
                time.sleep(0.05)
                continue
            journal.counts[f"ended {error.code().name}"] += 1
            if is_patient or error.code() not in DEATH:
                mistakes.append(f"a call ended with {error.code()}: {error.details()}")
            return


def new_channel():
    # Of its own: a shared one would wait between two attempts to connect.
    return grpc.secure_channel(server, credentials, [("grpc.use_local_subchannel_pool", 1)])


# Customers that enrol: directory → customer token, None while nobody has it.
customers = {}


def call_edge(directory, method, path, body=None, token=None):
    tls = ssl.create_default_context(cafile=certificates / "ca.pem")
    tls.load_cert_chain(directory / "client.pem", directory / "client.key")
    connection = http.client.HTTPSConnection(edge, context=tls, timeout=20)
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Tresor-Customer-Token"] = token
    connection.request(method, path, body and json.dumps(body), headers)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, json.loads(text) if text else None


def call_edge_until_it_serves(*arguments):
    for _ in range(100):
        status, body = call_edge(*arguments)
        if status < 500:
            return status, body
        time.sleep(0.1)
    return status, body


def enrol(directory, call=call_edge):
    customers.setdefault(directory, None)
    code = (directory / "code").read_text().strip()
    status, body = call(directory, "POST", "/v1/enrol", {"enrolment_code": code})
    if status == 201:
        journal.write("acknowledged enrolment", directory.name)
        journal.counts["enrolment"] += 1
        customers[directory] = body["customer_token"]
    return status


def enrol_sometime(directory, turn):
    time.sleep(random.Random(f"{seed} enrol {turn}").uniform(0, 0.15))
    status = enrol(directory)
    if status != 201 and status < 500:
        mistakes.append(f"enrolment was refused with {status}")


def check_customers(are_new):
    for directory in [d for d in customers if are_new == (d not in checked)]:
        checked.add(directory)
        if customers[directory] is None:
            # Nobody was told: it works now, or the code is used up; nothing lies between.
            status = enrol(directory, call_edge_until_it_serves)
            if status == 409:
                journal.counts["enrolment, unanswered and kept"] += 1
                del customers[directory]
                continue
            if status != 201:
                mistakes.append(f"{directory.name} can neither enrol nor has it: {status}")
                continue
        path, token = "/v1/collections/customers/records", customers[directory]
        if are_new:
            body = {"nr": "f-1", "vorname": "Anna"}
            stored = call_edge_until_it_serves(
                directory, "POST", f"{path}?id_field=nr", body, token)
            if stored[0] != 201:
                mistakes.append(f"the token of {directory.name} does not store: {stored}")
        read = call_edge_until_it_serves(
            directory, "GET", f"{path}/f-1?reveal=plain", None, token)
        if read[0] != 200 or read[1]["record"].get("vorname") != "Anna":
            mistakes.append(f"the token of {directory.name} does not read: {read[0]}")


checked = set()


def read_all(channel):
    records, found, page_token = rs_grpc.RecordServiceStub(channel), {}, ""
    while True:
        page = records.List(rs.ListRequest(
            context=context, collection="customers", page_size=1000, page_token=page_token,
            reveal=field_pb2.REVEAL_PLAIN), timeout=60)
        found |= {result.id: result for result in page.results}
        page_token = page.next_page_token
        if not page_token:
            return found


def check():
    with new_channel() as channel:
        for key in list(journal.keyed):
            send_keyed(rs_grpc.RecordServiceStub(channel), key)
        found = read_all(channel)
    for id in found.keys() | journal.known.keys() | journal.asked.keys():
        owner = "" if is_made(id) else id
        version, known = version_of(owner, found.get(id)), journal.known[id]
        if version is None:
            mistakes.append(f"{id} is half there")
        elif version != known and version not in journal.asked.get(id, ()):
            what = "resurrected" if known == ABSENT else "lost"
            mistakes.append(f"{what}: {id} has version {version}, acknowledged was {known}")
        else:
            journal.settle(id, version)
    forget_made()
    check_customers(are_new=True)
    return len(found)


def forget_made():
    """Deletes what was compared and is never touched again, so that a check stays quick."""
    made = [id for id in journal.known if is_made(id)]
    with new_channel() as channel:
        records = rs_grpc.RecordServiceStub(channel)
        for start in range(0, len(made), 1000):
            records.Delete(rs.DeleteRequest(context=context, collection="customers",
                                            ids=made[start:start + 1000]), timeout=20)
    for id in made:
        del journal.known[id]


def begin_load(channel, turn, directories, is_patient):
    stopped.clear()
    grpc.channel_ready_future(channel).result(timeout=20)
    tasks = [(work, (channel, thread, turn, is_patient)) for thread in range(THREADS)]
    tasks += [(enrol_sometime, (pathlib.Path(it.strip()), turn)) for it in directories]
    threads = [threading.Thread(target=task, args=of) for task, of in tasks]
    for thread in threads:
        thread.start()
    return threads


def since(before):
    return json.dumps({kind: count - before[kind] for kind, count in journal.counts.items()})


def main():
    turn, threads, channel, before = 0, [], None, collections.Counter()
    for command in sys.stdin:
        name, *arguments = command.split(maxsplit=1)
        answer = name
        if name in ("load", "patience"):
            turn, channel = turn + 1, new_channel()
            threads = begin_load(channel, turn, arguments, name == "patience")
        elif name in ("wait", "stop"):
            if name == "stop":
                stopped.set()
            for thread in threads:
                thread.join()
            channel.close()
        elif name == "check":
            answer = f"{check()} records"
        elif name == "progress":
            answer, before = since(before), journal.counts.copy()
        elif name == "end":
            check_customers(are_new=False)
            answer = json.dumps(journal.counts)
        for mistake in mistakes:
            print(f"failed: {mistake}", file=sys.stderr)
        print("failed" if mistakes else answer, flush=True)


main()
