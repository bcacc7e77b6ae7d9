"""Opens the golden vectors with nothing of Tresor's but the message definitions.

open_vectors.py VECTORS_JSON PROTO_DIR STUBS_DIR

Goes the whole way: passphrase -> root key -> system keyring -> file key -> tenant keyring -> cipher
key and customer token -> class key -> data key -> message key -> value; and checks the row's MAC.
See docs/formats.md.
"""

import hmac
import json
import pathlib
import struct
import sys
import uuid

import grpc_tools
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand
from grpc_tools import protoc

vectors_file, proto, stubs = (pathlib.Path(argument) for argument in sys.argv[1:])
stubs.mkdir(exist_ok=True)
files = [str(f) for f in (proto / "schema").rglob("*.proto") if "service" not in f.name]
files += [str(proto / "schema/tresor/vault/v1/collection_service.proto")]
well_known = pathlib.Path(grpc_tools.__file__).parent / "_proto"
assert protoc.main(["protoc", f"-I{proto / 'schema'}", f"-I{proto / 'third_party'}",
                    f"-I{well_known}", f"--python_out={stubs}", *files]) == 0
sys.path.insert(0, str(stubs))

from tresor.storage.v1 import keyring_pb2, record_pb2  # noqa: E402

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
vectors = json.loads(vectors_file.read_text())
tenant = uuid.UUID(vectors["tenant"]).bytes
passed = failed = 0


def check(claim, is_true):
    global passed, failed
    passed, failed = passed + bool(is_true), failed + (not is_true)
    if not is_true:
        print(f"failed: {claim}")


def tlv(*values):
    return b"".join(struct.pack(">BH", tag, len(v)) + v for tag, v in enumerate(values, 1))


def expand(key, info, length):
    return HKDFExpand(hashes.SHA256(), length, info).derive(key)


def message_key(key, info, commitment):
    okm = expand(key, info, 64)
    assert commitment is None or hmac.compare_digest(okm[32:], commitment), "commitment"
    return okm[:32]


def nonce(ordinal):
    return ordinal.to_bytes(12, "big")


def unwrap(key, aad, wrapped):
    salt, commitment, sealed = wrapped[:24], wrapped[24:56], wrapped[56:]
    k = message_key(key, b"tresor/v1/wrap" + salt + aad, commitment)
    return AESGCM(k).decrypt(nonce(0), sealed, aad)


def place(purpose, tenant=tenant, data_class=0, key_id=b"", version=0, bounds=b""):
    return tlv(bytes([purpose]), tenant, bytes([data_class]), key_id,
               struct.pack(">I", version), bounds)


def open_keyring(purpose, tenant, key, file):
    assert file[:6] == b"TRK1\x00\x01"
    length = struct.unpack(">H", file[6:8])[0]
    header, sealed, before = file[8:8 + length], file[8 + length:], file[:8 + length]
    fields = []
    while header:
        size = struct.unpack(">H", header[1:3])[0]
        fields.append(header[3:3 + size])
        header = header[3 + size:]
    named, sequence, wrapped = fields
    assert named == tenant
    body_key = unwrap(key, place(purpose, tenant, key_id=sequence, version=1), wrapped)
    k = message_key(body_key, b"tresor/v1/keyring", None)
    return int.from_bytes(sequence, "big"), AESGCM(k).decrypt(nonce(0), sealed, before)


def base62(digits, size):
    number = 0
    for digit in digits:
        number = number * 62 + BASE62.index(digit)
    return number.to_bytes(size, "big")


def hexed(name):
    return bytes.fromhex(vectors[name])


# The seal file and the root key.
seal_file = hexed("seal_file")
assert seal_file[:6] == b"TRS1\x00\x01"
seal = keyring_pb2.SealFile.FromString(seal_file[6:]).entries[0]
argon2 = Argon2id(salt=seal.passphrase.salt, length=32, iterations=seal.passphrase.iterations,
                  lanes=seal.passphrase.parallelism, memory_cost=seal.passphrase.memory_kib)
nobody = bytes(16)
root = unwrap(argon2.derive(vectors["passphrase"].encode()),
              place(1, nobody, key_id=seal.id.encode()), seal.wrapped)
check("the root key has 32 bytes", len(root) == 32)

# The keyrings.
_, body = open_keyring(2, nobody, root, hexed("system_keyring"))
system = keyring_pb2.SystemKeyring.FromString(body)
entry = next(t for t in system.tenants if t.tenant == tenant)
sequence, body = open_keyring(3, tenant, entry.key, hexed("tenant_keyring"))
check("the sequence is the one remembered", sequence == entry.remembered_sequence == 1)
keyring = keyring_pb2.TenantKeyring.FromString(body)
cipher_key = keyring.cipher_keys[-1]

# The customer token.
text = vectors["customer_token"]
prefix, token_id, secret = text[:-6].split("_")
token_id, secret = base62(token_id, 12), base62(secret, 32)
salt = tlv(tenant, token_id)


def from_token(info):
    return HKDF(hashes.SHA256(), 32, salt, info).derive(secret)


held = next(t for t in keyring.customer_tokens if t.id == token_id)
verifier = hmac.digest(system.pepper, from_token(b"tresor/v1/token-auth"), "sha256")
check("the verifier fits", hmac.compare_digest(verifier, held.verifier))
bounds = tlv(bytes([held.kind]), struct.pack(">I", held.operations),
             struct.pack(">Q", held.expires_ms), held.bound_certificate)


def class_key(slot, token_key, server_key):
    aad = place(5, data_class=slot.data_class, key_id=token_id,
                version=slot.cipher_key_version, bounds=bounds)
    inner = unwrap(server_key, aad, slot.wrapped)
    aad = place(4, data_class=slot.data_class, key_id=token_id, bounds=bounds)
    return unwrap(token_key, aad, inner)


def open_row(row, keyspace, key):
    """The message of a row and the metadata key of its MAC."""
    assert row[:4] == b"TRR1"
    version, message, mac = row[4:8], row[8:-32], row[-32:]
    number = int.from_bytes(version, "big")
    wrapped_mk = next(k for k in keyring.metadata_keys if k.version == number)
    mk = unwrap(cipher_key.key, place(8, version=wrapped_mk.version), wrapped_mk.wrapped)
    where = tlv(tenant, bytes([keyspace]), key)
    expected = hmac.digest(expand(mk, b"tresor/v1/row", 32), where + version + message, "sha256")
    check(f"the row's MAC fits in keyspace {keyspace}", hmac.compare_digest(expected, mac))
    return message, mk


# The row.
message, mk = open_row(hexed("row"), vectors["keyspace"], hexed("store_key"))
record = record_pb2.Record.FromString(message)
subject = hmac.digest(expand(mk, b"tresor/v1/subject", 32), tlv(tenant) + b"Anna", "sha256")
check("the subject is a keyed digest", subject == record.subject)

names = {v["name"]: bytes.fromhex(v["hex"]) for v in vectors["values"]}
opened = {}
for group in record.groups:
    slot = next(s for s in held.slots if s.data_class == group.data_class)
    kek = class_key(slot, from_token(b"tresor/v1/token-wrap"), cipher_key.key)
    wrapped_dek = next(k for k in keyring.data_keys
                       if (k.data_class, k.epoch) == (group.data_class, group.epoch))
    dek = unwrap(kek, place(6, data_class=group.data_class, version=group.epoch),
                 wrapped_dek.wrapped)
    epoch = struct.pack(">I", group.epoch)
    collection, record_id = vectors["collection"].encode(), vectors["record"].encode()
    where = tlv(tenant, collection, record_id, bytes([group.data_class]), epoch, bytes(4))
    k = message_key(dek, b"tresor/v1/group" + group.salt + where, group.commitment)
    for ordinal, field in enumerate(group.fields):
        aad = b"TRS1-AAD" + tlv(tenant, collection, record_id, field.name.encode(),
                                bytes([field.content_type]), bytes([group.data_class]), epoch)
        frame = AESGCM(k).decrypt(nonce(ordinal), field.ciphertext, aad)
        length = struct.unpack(">I", frame[:4])[0]
        check(f"{field.name} is padded with zeros", not any(frame[4 + length:]))
        opened[field.name] = frame[4:4 + length]
check("every value is what was sealed", opened == names)
check("the sizes fall into the buckets", sorted(
    len(f.ciphertext) - 16 for g in record.groups for f in g.fields) == [16, 16, 16, 704])

# The answer kept for whoever repeats the write.
key, now_ms = hexed("answer_store_key"), vectors["now_ms"]
message, _ = open_row(hexed("answer_row"), vectors["answer_keyspace"], key)
answer = record_pb2.GivenAnswer.FromString(message)
request_key = expand(from_token(b"tresor/v1/token-auth"), b"tresor/v1/idempotency", 32)
name = tlv(bytes([1]), vectors["idempotency_key"].encode(), struct.pack(">Q", vectors["ordinal"]))
day = struct.pack(">I", now_ms // (24 * 60 * 60 * 1000))
check("the answer lies under day and name", key == day + hmac.digest(request_key, name, "sha256"))
asked = tlv(bytes([2]), collection, record_id, b"Anna", struct.pack(">Q", now_ms),
            struct.pack(">H", len(names)))
types = {field.name: field.content_type for group in record.groups for field in group.fields}
for name, value in names.items():
    asked += tlv(name.encode(), bytes([types[name]]), struct.pack(">I", len(value))) + value
digest = hmac.digest(request_key, asked, "sha256")
check("the answer's digest is that of what was asked", digest == answer.request_digest)
check("the answer is an id and a revision",
      (answer.record, answer.revision, answer.created_ms) == ("r-1", 3, now_ms))

# One key is not enough.
for claim, token_key, server_key in [
    ("no customer token", bytes(32), cipher_key.key),
    ("no cipher key", from_token(b"tresor/v1/token-wrap"), bytes(32)),
    ("the keys exchanged", cipher_key.key, from_token(b"tresor/v1/token-wrap")),
]:
    try:
        class_key(held.slots[0], token_key, server_key)
        check(claim, False)
    except (AssertionError, InvalidTag):
        check(claim, True)

print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
