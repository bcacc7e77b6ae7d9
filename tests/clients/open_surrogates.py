"""Opens the golden vectors of format-preserving surrogates with an FF1 of its own.

open_surrogates.py VECTORS_JSON

FF1 is written after NIST SP 800-38G, over the AES of `cryptography`; the formats after
docs/formats.md. It is checked with NIST's samples first.
"""

import json
import pathlib
import struct
import sys

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
RADIX = {"card": 10, "phone": 10, "digits": 10, "alphanumeric": 62, "upper-alphanumeric": 36}
FORMATS = ["card", "phone", "digits", "alphanumeric", "upper-alphanumeric"]
passed = failed = 0


def check(claim, is_true):
    global passed, failed
    passed, failed = passed + bool(is_true), failed + (not is_true)
    if not is_true:
        print(f"failed: {claim}")


def tlv(*values):
    return b"".join(struct.pack(">BH", tag, len(v)) + v for tag, v in enumerate(values, 1))


def number(numerals, radix):
    value = 0
    for numeral in numerals:
        value = value * radix + numeral
    return value


def numerals_of(value, radix, count):
    numerals = []
    for _ in range(count):
        value, numeral = divmod(value, radix)
        numerals.append(numeral)
    return numerals[::-1]


def ff1(key, radix, tweak, numerals, decrypts):
    """SP 800-38G, algorithms 7 and 8."""
    aes = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    n, t = len(numerals), len(tweak)
    u = n // 2
    v = n - u
    a, b = number(numerals[:u], radix), number(numerals[u:], radix)
    octets = ((radix**v - 1).bit_length() + 7) // 8
    d = 4 * ((octets + 3) // 4) + 4
    p = bytes([1, 2, 1]) + radix.to_bytes(3, "big") + bytes([10, u % 256]) + struct.pack(">II", n, t)
    for i in reversed(range(10)) if decrypts else range(10):
        known = a if decrypts else b
        q = tweak + bytes((-t - octets - 1) % 16) + bytes([i]) + known.to_bytes(octets, "big")
        mac = bytes(16)
        for at in range(0, len(p + q), 16):
            mac = aes.update(bytes(x ^ y for x, y in zip(mac, (p + q)[at:at + 16])))
        s, j = mac, 0
        while len(s) < d:
            j += 1
            s += aes.update((int.from_bytes(mac, "big") ^ j).to_bytes(16, "big"))
        y = int.from_bytes(s[:d], "big")
        modulus = radix ** (u if i % 2 == 0 else v)
        if decrypts:
            a, b = (b - y) % modulus, a
        else:
            a, b = b, (a + y) % modulus
    return numerals_of(a, radix, u) + numerals_of(b, radix, v)


def luhn(digits):
    values = [int(d) * (1 + at % 2) for at, d in enumerate(reversed(digits))]
    return sum(value // 10 + value % 10 for value in values) % 10 == 0


def calling_code(digits):
    if digits[0] in "17":
        return 1
    two = ("20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 "
           "63 64 65 66 81 82 84 86 90 91 92 93 94 95 98").split()
    return 2 if digits[:2] in two else 3


def kept(form, text):
    """How many of its first and last characters of the alphabet stay."""
    digits = "".join(c for c in text if c.isdigit())
    if form == "card":
        return (6 if len(digits) >= 16 else 0), 4
    if form != "phone":
        return 0, 0
    prefix = 0
    if text.startswith("+"):
        prefix = calling_code(digits)
    elif digits.startswith("00"):
        prefix = 2 + calling_code(digits[2:])
    return prefix + len(digits[prefix:]) - len(digits[prefix:].lstrip("0")), 0


class Shape:
    def __init__(self, form, text):
        self.form, self.text = form, text
        places = [at for at, c in enumerate(text) if c in CHARACTERS]
        first, last = kept(form, text)
        self.hidden = places[first:len(places) - last]
        self.numerals = [CHARACTERS.index(text[at]) for at in self.hidden]

    def fill(self, characters):
        text = list(self.text)
        for at, character in zip(self.hidden, characters):
            text[at] = character
        return "".join(text)

    def with_numerals(self, numerals):
        return self.fill(CHARACTERS[numeral] for numeral in numerals)

    def belongs(self, numerals):
        if self.form == "card":
            return not luhn([c for c in self.with_numerals(numerals) if c.isdigit()])
        return self.form != "phone" or numerals[0] != 0


def walk(identifier_key, info_type, shape, numerals, decrypts):
    form = bytes([FORMATS.index(shape.form) + 1])
    info = b"tresor/v1/ff1" + tlv(info_type, form)
    key = HKDFExpand(hashes.SHA256(), 32, info).derive(identifier_key)
    tweak = tlv(info_type, shape.fill("_" * len(shape.hidden)).encode(), form)
    steps = 0
    while steps == 0 or not shape.belongs(numerals):
        numerals = ff1(key, RADIX[shape.form], tweak, numerals, decrypts)
        steps += 1
    return numerals, steps


# NIST's samples for AES-256.
nist = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f7f036d6f04fc6a94")
for radix, tweak, plain, sealed in [
    (10, "", "0123456789", "6657667009"),
    (10, "39383736353433323130", "0123456789", "1001623463"),
    (36, "3737373770717273373737", "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"),
]:
    plain, sealed = [[int(c, 36) for c in text] for text in (plain, sealed)]
    tweak = bytes.fromhex(tweak)
    check("FF1 agrees with NIST", ff1(nist, radix, tweak, plain, False) == sealed
          and ff1(nist, radix, tweak, sealed, True) == plain)

vectors = json.loads(pathlib.Path(sys.argv[1]).read_text())
identifier_key = bytes.fromhex(vectors["identifier_key"])
walked_on = 0
for vector in vectors["vectors"]:
    info_type = vector["info_type"].encode()
    shape = Shape(vector["format"], vector["surrogate"])
    numerals, steps = walk(identifier_key, info_type, shape, shape.numerals, True)
    walked_on += steps > 1
    if shape.form == "card":
        numerals[0] = (numerals[0] + 9) % 10
    check(f"a {shape.form} leads back", shape.with_numerals(numerals) == vector["text"])
check("some vectors walk on", walked_on >= 2)
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)
