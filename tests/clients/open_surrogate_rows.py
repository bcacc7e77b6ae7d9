"""Opens the golden rows of surrogates with nothing of Tresor's but the message definitions.

open_surrogate_rows.py VECTORS_JSON PROTO_DIR STUBS_DIR

From the keys to the value, and from the value to the keys of the rows that find it. See
docs/formats.md.
"""

import hmac
import json
import pathlib
import struct
import sys
import uuid

import grpc_tools
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from grpc_tools import protoc

vectors_file, proto, stubs = (pathlib.Path(argument) for argument in sys.argv[1:])
stubs.mkdir(exist_ok=True)
files = [str(f) for f in (proto / "schema").rglob("*.proto") if "service" not in f.name]
files += [str(proto / "schema/tresor/vault/v1/collection_service.proto")]
well_known = pathlib.Path(grpc_tools.__file__).parent / "_proto"
assert protoc.main(["protoc", f"-I{proto / 'schema'}", f"-I{proto / 'third_party'}",
                    f"-I{well_known}", f"--python_out={stubs}", *files]) == 0
sys.path.insert(0, str(stubs))

from tresor.storage.v1 import record_pb2, surrogate_pb2  # noqa: E402

vectors = json.loads(vectors_file.read_text())
tenant = uuid.UUID(vectors["tenant"]).bytes
metadata_key, data_key, identifier_key = (
    bytes.fromhex(vectors[name]) for name in ("metadata_key", "data_key", "identifier_key"))
passed = failed = 0


def check(claim, is_true):
    global passed, failed
    passed, failed = passed + bool(is_true), failed + (not is_true)
    if not is_true:
        print(f"failed: {claim}")


def tlv(*values):
    return b"".join(struct.pack(">BH", tag, len(v)) + v for tag, v in enumerate(values, 1))


def expand(key, info, length=32):
    return HKDFExpand(hashes.SHA256(), length, info).derive(key)


def open_row(name, message, keyspace=vectors["keyspace"]):
    """The key of a row and its message, once its MAC fits."""
    key, row = (bytes.fromhex(vectors[name][part]) for part in ("key", "row"))
    assert row[:4] == b"TRR1"
    where = tlv(tenant, bytes([keyspace]), key)
    mac = hmac.digest(expand(metadata_key, b"tresor/v1/row"), where + row[4:-32], "sha256")
    check(f"the MAC of the row {name} fits", hmac.compare_digest(mac, row[-32:]))
    return key, message.FromString(row[8:-32])


# The surrogate and its value.
key, row = open_row("surrogate", surrogate_pb2.Surrogate)
surrogate_id, group, [field] = key[1:], row.group, row.group.fields
where = tlv(tenant, surrogate_id, bytes([row.data_class]), struct.pack(">I", group.epoch))
okm = expand(data_key, b"tresor/v1/surrogate-group" + group.salt + where, 64)
check("the key is committed to", hmac.compare_digest(okm[32:], group.commitment))
aad = b"TRS1-AAD" + tlv(
    bytes([field.content_type]), row.info_type.encode(), struct.pack(">I", row.kind),
    struct.pack(">I", row.reveal), struct.pack(">Q", row.created_ms),
    struct.pack(">Q", row.expires_ms), struct.pack(">I", row.uses_max), row.mask,
    bytes([row.is_held]))
frame = AESGCM(okm[:32]).decrypt(bytes(12), field.ciphertext, aad)
length = struct.unpack(">I", frame[:4])[0]
value = frame[4:4 + length]
check("the value is what was sealed", value == vectors["value"].encode())
check("it is padded with zeros", len(frame) == 16 and not any(frame[4 + length:]))

# What finds it.
look_up_key, look_up = open_row("look_up", surrogate_pb2.SurrogateLookUp)
of = tlv(row.info_type.encode(), struct.pack(">I", row.reveal))
digest = hmac.digest(expand(identifier_key, b"tresor/v1/deterministic" + of),
                     bytes([field.content_type]) + value, "sha256")
check("the look-up lies under the digest of the value", look_up_key == b"\x02" + digest)
check("row and look-up name each other",
      (look_up.id, row.look_up, key[:1]) == (surrogate_id, look_up_key, b"\x01"))

# What counts it.
count_key, count = open_row("count", surrogate_pb2.SurrogateCount)
check("the count lies beside the row", count_key == b"\x04" + key)
check("it counts uses and records", (count.uses, count.references, count.is_pinned) == (2, 3, True))
check("it counts until when they hold it", (count.lasting, count.ends_ms) == (1, 1_800_086_400_000))

# When it ends.
day = struct.pack(">I", vectors["end_ms"] // (24 * 60 * 60 * 1000))
check("an entry tells the day it ends", vectors["expiry_keyspace"] == 5
      and bytes.fromhex(vectors["expiry_key"]) == b"\x02" + day + surrogate_id)

# A record with one that looks like its value, and the answer that told of it.
value = vectors["preserved_value"].encode()
key, row = open_row("preserving_record", record_pb2.Record, keyspace=1)
collection, record = key.split(b"\0")
[group] = row.groups
[field] = group.fields
place = [tenant, collection, record]
where = tlv(*place, bytes([group.data_class]), struct.pack(">I", group.epoch), bytes(4))
okm = expand(data_key, b"tresor/v1/group" + group.salt + where, 64)
aad = b"TRS1-AAD" + tlv(*place, field.name.encode(), bytes([field.content_type]),
                        bytes([group.data_class]), struct.pack(">I", group.epoch))
frame = AESGCM(okm[:32]).decrypt(bytes(12), field.ciphertext, aad)
check("the field of the record opens", frame[4:4 + len(value)] == value)
check("its row names the format and holds no text",
      (field.surrogate_format, field.surrogate, field.info_type) == (3, "", "METER_ID"))
key, answer = open_row("preserving_answer", record_pb2.GivenAnswer, keyspace=6)
[given] = answer.surrogates
check("the answer names info type and format and holds no text",
      (given.field, given.surrogate, given.surrogate_format, given.info_type)
      == ("meter", "", 3, "METER_ID"))

print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
