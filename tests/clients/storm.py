"""Mixed load over both doors of a vault whose keys are all replaced meanwhile, again and again.

storm.py SERVER CONTROL EDGE PROTO_DIR CERTIFICATES_DIR STUBS_DIR TENANT_ID CLIENT SEED < commands

CLIENT is the customer's certificate and key without their endings. The first line of the input is
the customer token. Then, one command a line, answered with one line:

begin     begins the load and the rotations, which go on whatever happens to the vault
progress  tells what was done so far
stop      ends the load, brings every rotation under way to its end, tells what was done
check     compares the whole vault with what was acknowledged, and counts what hangs on which key
robbed    how many records an older keyring still opens; all others are refused

Every record and every customer token belongs to one thread, which repeats a call until it knows
how it ended; so each answer is known beforehand, and anything else is a mistake.
"""

import json
import pathlib
import random
import sys
import threading
import time

import stub_maker

server, control, edge, proto, certificates, stubs, tenant, client, seed = sys.argv[1:]
customer_token = sys.stdin.readline().strip()
certificates = pathlib.Path(certificates)
stub_maker.make(proto, stubs)

from tresor.vault.v1 import key_service_pb2 as ks, key_service_pb2_grpc as ks_grpc  # noqa: E402
from tresor.vault.v1 import seal_service_pb2 as ss, seal_service_pb2_grpc as ss_grpc  # noqa: E402

from doors import PATIENCE_OF_OPERATORS_SECONDS, Counts, CustomerDoor, Refused  # noqa: E402
from doors import ServiceDoor, call_grpc, new_channel, until_answered  # noqa: E402

SERVICE_THREADS, CUSTOMER_THREADS = 4, 2
IDS_OF_A_THREAD, IDS_IN_BULK = 60, 150
# Rotations of data keys that are under way at once.
OPERATIONS_MAX = 2
ENDED = {ks.OPERATION_STATE_DONE, ks.OPERATION_STATE_CANCELLED}
TOKENS = "/v1/keys/tokens"

counts = Counts()
mistakes = []
stopped = threading.Event()
known = {}  # id: the version that is there; 0 when it was deleted
ended = []  # customer tokens that work no more
versions = iter(range(1, 1 << 60))
versions_lock = threading.Lock()


def next_version():
    with versions_lock:
        return next(versions)


def service_door():
    channel = new_channel(server, certificates, "billing")
    return ServiceDoor(counts, channel, tenant, customer_token)


def customer_door():
    return CustomerDoor(counts, edge, certificates / "ca.pem", client, customer_token)


def compare(what, found):
    for id, version in found.items():
        if version != known[id]:
            mistakes.append(f"{what}: {id} is {version}, and should be {known[id]}")


def one_call(door, dice, ids, size, kind):
    chosen = dice.sample(ids, dice.randint(1, size))
    if kind == "put":
        wanted = {id: next_version() for id in chosen}
        door.put(wanted, f"key-{next_version()}")
        known.update(wanted)
    elif kind == "get":
        compare(f"get at the {door.name}", door.get(chosen))
    elif kind == "look":
        chosen = dice.sample(sorted(known.copy()), size)
        compare_some(f"look at the {door.name}", ids, door.get(chosen))
    elif kind == "list":
        found, _ = door.list(size=dice.choice([5, 5, 5, 200]))
        compare_some(f"list at the {door.name}", ids, found)
    else:
        present = [id for id in chosen if known[id]]
        if present:
            door.delete(present)
            known.update(dict.fromkeys(present, 0))


def compare_some(what, ids, found):
    """Others change theirs meanwhile: those are whole, whichever version they are."""
    compare(what, {id: found[id] for id in found if id in ids})
    mistakes.extend(f"{what}: {id} is unreadable" for id in found if found[id] is None)


def guarded(work, *arguments):
    """Threads end at the first mistake; the driver is told."""
    try:
        work(*arguments)
    except Refused as refused:
        mistakes.append(f"{work.__name__}: {refused}")
    except Exception as error:  # noqa: BLE001 - whatever it is, the test fails by it
        mistakes.append(f"{work.__name__}: {error!r}")


def work_with_records(door, number, size):
    dice = random.Random(f"{seed} {number}")
    ids = [f"t{number}-{n}" for n in range(IDS_OF_A_THREAD)]
    known.update(dict.fromkeys(ids, 0))
    kinds = ["put", "put", "put", "get", "get", "get", "look", "list", "delete"]
    while not stopped.is_set():
        dice.shuffle(kinds)
        for kind in kinds:
            one_call(door, dice, ids, size, kind)


def work_in_bulk(door, number):
    """Calls that last, so that keys are replaced under them."""
    ids = [f"t{number}-{n}" for n in range(IDS_IN_BULK)]
    known.update(dict.fromkeys(ids, 0))
    while not stopped.is_set():
        begun, wanted = time.monotonic(), {id: next_version() for id in ids}
        door.put(wanted, f"key-{next_version()}")
        known.update(wanted)
        compare("get in bulk", door.get(ids))
        # Most of the time belongs to the others.
        stopped.wait(4 * (time.monotonic() - begun))


class TokenHolder:
    """Issues, rotates, uses and revokes customer tokens, and meets each answer as it has to be."""

    def __init__(self):
        self.door = customer_door()

    def work(self):
        known["k-1"] = 0
        while not stopped.is_set():
            for overlap in (0, 86_400, None):
                token = self.issue(f"n{next_version()}")
                self.use(token)
                if overlap is not None:
                    token = self.rotate(token, overlap)
                self.revoke(id_of(token))
                self.assert_ended(token)
                ended.append(token)

    def issue(self, name):
        """Until it is known how it ended: what nobody has is revoked, as the manual says."""
        while True:
            body = {"kind": "read_write", "name": name}
            (_, answer), is_repeat = self.door.ask("issue", "POST", TOKENS, body)
            token = answer["customer_token"]
            if is_repeat:
                self.revoke_all_but(token, lambda other: other["name"] == name)
            return token

    def rotate(self, old, overlap):
        body = {"overlap_seconds": overlap}
        (status, answer), is_repeat = self.door.ask(
            "rotate", "POST", f"{TOKENS}/{id_of(old)}:rotate", body, accepted=[410])
        if status == 410 and not is_repeat:
            raise Refused("gone", "a customer token that nobody ended")
        new = answer.get("customer_token")
        if is_repeat:
            self.revoke_all_but(new, lambda other: other["replaces"] == id_of(old))
        if new is None:
            # The one in its place is lost: another, from the start.
            self.assert_ended(old)
            return self.issue(f"n{next_version()}")
        self.use(new)
        if overlap:
            self.use(old)
            self.revoke(id_of(old))
        self.assert_ended(old)
        return new

    def revoke_all_but(self, token, is_meant):
        (_, answer), _ = self.door.ask("tokens", "GET", TOKENS)
        for other in filter(is_meant, answer["customer_tokens"]):
            if other["state"] != "revoked" and (token is None or other["id"] != id_of(token)):
                self.revoke(other["id"])
                counts.add("issued, answer lost")

    def revoke(self, id):
        self.door.ask("revoke", "POST", f"{TOKENS}/{id}:revoke", {})

    def use(self, token):
        door, wanted = self.door.holding(token), {"k-1": next_version()}
        door.put(wanted, f"key-{next_version()}")
        known.update(wanted)
        compare("get with a new customer token", door.get(["k-1"]))

    def assert_ended(self, token):
        path = f"{CustomerDoor.RECORDS}/k-1?reveal=plain"
        (status, _), _ = self.door.holding(token).ask("ended", "GET", path, accepted=[401])
        if status != 401:
            mistakes.append(f"an ended customer token is answered {status}")


def id_of(token):
    return token.split("_")[1]


class Operator:
    """Replaces all keys, one after the other, and brings every replacement to its end."""

    def __init__(self):
        channel = new_channel(control, certificates, "operator")
        self.keys = ks_grpc.KeyServiceStub(channel)
        self.seals = ss_grpc.SealServiceStub(channel)
        self.door = customer_door()
        self.dice, self.has_spare = random.Random(f"{seed} operator"), False
        self.done = set()

    def work(self):
        turns = [self.rotate_cipher, self.rotate_cipher, self.rotate_root, self.change_seals,
                 self.rotate_data, self.rotate_data]
        while not stopped.is_set():
            self.dice.shuffle(turns)
            for turn in turns:
                turn()
                self.drive()
        while self.drive():
            time.sleep(0.1)

    def ask(self, kind, method, request):
        return until_answered(counts, kind, lambda: call_grpc(method, request, timeout=40),
                              PATIENCE_OF_OPERATORS_SECONDS)

    def rotate_cipher(self):
        is_known = self.dice.random() < 0.5
        request = ks.RotateCipherKeyRequest(tenant=tenant, compromised=is_known)
        if self.dice.random() < 0.5:
            request = ks.RotateCipherKeyRequest(all_tenants=True, compromised=is_known)
        stream = lambda request, timeout: list(  # noqa: E731
            self.keys.RotateCipherKey(request, timeout=timeout))
        answers, _ = self.ask("rotate-cipher", stream, request)
        for rotation in (one for answer in answers for one in answer.rotations):
            if rotation.HasField("error") or rotation.new_version != rotation.old_version + 1:
                raise Refused("rotate-cipher", str(rotation))

    def rotate_root(self):
        self.ask("rotate-root", self.keys.RotateRootKey, ks.RotateRootKeyRequest())

    def change_seals(self):
        """Adds the spare seal, or removes it; a repeat is told that it is so already."""
        method, message, settled = (
            (self.seals.RemoveSeal, ss.RemoveSealRequest, "not_found") if self.has_spare
            else (self.seals.AddSeal, ss.AddSealRequest, "already_exists"))
        attempts = []

        def call():
            attempts.append(None)
            try:
                return call_grpc(method, message(seal="spare"), timeout=40)
            except Refused as refused:
                if refused.code != settled or len(attempts) == 1:
                    raise
        until_answered(counts, "seal", call, PATIENCE_OF_OPERATORS_SECONDS)
        self.has_spare = not self.has_spare

    def rotate_data(self):
        if len(self.operations()) >= OPERATIONS_MAX:
            return
        classes = self.dice.choice([[], [], [1], [2, 4]])
        self.ask("mark", self.keys.MarkDataKeysDue,
                 ks.MarkDataKeysDueRequest(
                     tenant=tenant, classes=classes, compromised=self.dice.random() < 0.3))
        # As fast as it goes, so that calls begin before it and end after it; or beside the others.
        until = time.monotonic() + self.dice.choice([0, 5])
        while self.drive() and time.monotonic() < until:
            time.sleep(0.02)

    def operations(self):
        """Those that have not ended; each that has is counted once."""
        answer, _ = self.ask("operations", self.keys.ListOperations,
                             ks.ListOperationsRequest(tenant=tenant, page_size=1000))
        ended = {one.id for one in answer.operations if one.state in ENDED}
        counts.add("rotate-data", len(ended - self.done))
        self.done |= ended
        return [one for one in answer.operations if one.state not in ENDED]

    def drive(self):
        """Lends again what a restart or the end of a loan took away; whether any is under way."""
        operations = self.operations()
        for one in operations:
            if one.state == ks.OPERATION_STATE_NEEDS_ATTENTION:
                raise Refused("needs attention", str(one))
        if any(one.state == ks.OPERATION_STATE_PENDING_CUSTOMER for one in operations):
            loan = {"lifetime_seconds": self.dice.choice([2, 60])}
            self.door.ask("lend", "POST", f"{TOKENS}/{id_of(customer_token)}:lend", loan)
        return bool(operations)

    def census(self):
        """The groups on each data key, the states of the keys; nothing is on one that is gone."""
        stream = lambda request, timeout: list(  # noqa: E731
            self.keys.TakeCensus(request, timeout=timeout))
        answers, _ = self.ask("census", stream, ks.TakeCensusRequest(tenant=tenant))
        status, _ = self.ask("status", self.keys.GetKeyStatus, ks.GetKeyStatusRequest(tenant=tenant))
        [tenant_keys], census = status.tenants, answers[-1].census
        states = {(key.data_class, key.version): key.state
                  for key in tenant_keys.keys if key.kind == ks.KEY_KIND_DATA}
        for epoch in census.epochs:
            if epoch.groups and states.get((epoch.data_class, epoch.epoch)) != ks.KEY_STATE_ACTIVE:
                mistakes.append(f"groups hang on a key that is not active: {epoch}")
        destroyed = [key for key, state in states.items() if state == ks.KEY_STATE_DESTROYED]
        if len(states) - len(destroyed) != len({data_class for data_class, _ in states}):
            mistakes.append(f"a class has not exactly one key: {states}")
        counts.counts["keys destroyed"] = len(destroyed)
        if census.damaged or census.records != sum(map(bool, known.values())):
            mistakes.append(f"{census.records} records, {census.damaged} damaged")


def begin():
    numbers = iter(range(1, 100))
    works = [(work_with_records, service_door(), next(numbers), 4) for _ in range(SERVICE_THREADS)]
    works += [(work_with_records, customer_door(), next(numbers), 1)
              for _ in range(CUSTOMER_THREADS)]
    works += [(work_in_bulk, service_door(), next(numbers))]
    works += [(TokenHolder().work,), (Operator().work,)]
    threads = [threading.Thread(target=guarded, args=work, daemon=True) for work in works]
    for thread in threads:
        thread.start()
    return threads


def read_all(door):
    found, after = {}, ""
    while True:
        page, after = door.list(after, 1000)
        found |= page
        if not after:
            return found


def check():
    """Every record through both doors, every customer token, every key."""
    for door in (service_door(), customer_door()):
        found = read_all(door)
        compare(f"check at the {door.name}", {id: found.pop(id, 0) for id in known})
        mistakes.extend(f"check at the {door.name}: {id} is resurrected" for id in found)
    for token in ended[-20:]:
        TokenHolder().assert_ended(token)
    Operator().census()


def robbed():
    found = read_all(service_door())
    return sum(version is not None for version in found.values())


def tell():
    return json.dumps(dict(counts.copy()))


def main():
    threads = []
    for command in map(str.strip, sys.stdin):
        answer = command
        if command == "begin":
            threads = begin()
        elif command == "progress":
            answer = tell()
        elif command == "stop":
            stopped.set()
            for thread in threads:
                thread.join()
            answer = tell()
        elif command == "check":
            guarded(check)
            answer = tell()
        elif command == "robbed":
            answer = json.dumps(robbed())
        for mistake in mistakes:
            print(f"failed: {mistake}", file=sys.stderr)
        print("failed" if mistakes else answer, flush=True)


main()
