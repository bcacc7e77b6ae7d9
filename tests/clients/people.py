"""Records whose values all hang on their id and version: a mixture of two is noticed.

Import it once `stub_maker` has made the stubs.
"""

import hashlib
import json
import random

from tresor.vault.v1 import field_pb2, record_service_pb2 as rs

ABSENT = 0


def content(id, version):
    """The fields of a record: name → (info type, text)."""
    dice = random.Random(f"{id} {version}")
    length = dice.choice([10, 100, 100, 1_000, 20_000])
    values = {
        "vorname": ("FIRST_NAME", dice.choice(["Anna", "Bo", "Cleo", "Dorothea"]) + str(version)),
        "mail": ("EMAIL_ADDRESS", f"{dice.getrandbits(64):x}@example.org"),
        "iban": ("IBAN_CODE", f"DE{dice.randrange(10**20):020}"),
        "ort": ("CITY", f"Ort {dice.getrandbits(32)}"),
        "notiz": ("MEDICAL_TERM", f"{dice.getrandbits(64):016x} " * (length // 17 + 1)),
        "fassung": ("", str(version)),
    }
    digest = hashlib.sha256(json.dumps([id, values]).encode()).hexdigest()
    return values | {"pruefsumme": ("PERSON_NAME", digest)}


def texts(id, version):
    """The fields of a record: name → text."""
    return {name: text for name, (_, text) in content(id, version).items()}


def record(id, version):
    """A record as the internal API takes it."""
    fields = [field_pb2.Field(name=name, value=field_pb2.Value(text=text), info_type=info_type)
              for name, (info_type, text) in content(id, version).items()]
    return rs.RecordInput(id=id, fields=fields)


def version_in(id, values):
    """The version of a record's texts when they are whole; none when they are not.

    Who uploads through the edge names the field that is the id: `nr`.
    """
    values = {name: text for name, text in values.items() if name != "nr"}
    version = values.get("fassung", "")
    if not version.isdigit() or values != texts(id, int(version)):
        return None
    return int(version)


def version_of(id, result):
    """The version of what the internal API answered; none for a record that is not whole."""
    if result is None:
        return ABSENT
    if result.WhichOneof("outcome") != "record":
        return None
    return version_in(id, {field.name: field.value.text for field in result.record.fields})
