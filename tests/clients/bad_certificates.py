"""Makes certificates that are not what they should be, and shows them to the vault as evidence.

bad_certificates.py AUTHORITY URI DIRECTORY                          makes them, and lists their names
bad_certificates.py AUTHORITY URI DIRECTORY SERVER PROTO CA STUBS TENANT   shows them as well

AUTHORITY is that of a branch, as PATH of PATH.pem and PATH.key; all but `good` have one flaw.
"""

import datetime
import json
import pathlib
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

branch, uri, directory, *shown_to = sys.argv[1:]
directory = pathlib.Path(directory)
directory.mkdir(exist_ok=True)
authority = x509.load_pem_x509_certificate(pathlib.Path(branch + ".pem").read_bytes())
authority_key = serialization.load_pem_private_key(pathlib.Path(branch + ".key").read_bytes(), None)
NOW, DAY = datetime.datetime.now(datetime.timezone.utc), datetime.timedelta(days=1)
CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH
SIGNATURE = {name: name == "digital_signature" for name in (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
    "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")}
stem, last = uri.rsplit("/", 1)


def general(name):
    return x509.UniformResourceIdentifier._init_without_validation(name) \
        if isinstance(name, str) else name


def certificate(names=(uri,), begins=-1, ends=1, usages=(CLIENT,), key_usage=SIGNATURE,
                is_authority=False, key=None, issuer=None, signer=None, filling=0):
    """A certificate and its key; days count from now."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    builder = (x509.CertificateBuilder().serial_number(x509.random_serial_number())
               .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, last[:60])]))
               .issuer_name(issuer or authority.subject).public_key(key.public_key())
               .not_valid_before(NOW + begins * DAY).not_valid_after(NOW + ends * DAY))
    extensions = [x509.BasicConstraints(is_authority, None)]
    extensions += [x509.SubjectAlternativeName(list(map(general, names)))] if names else []
    extensions += [x509.ExtendedKeyUsage(usages)] if usages else []
    extensions += [x509.KeyUsage(**key_usage)] if key_usage else []
    extensions += [x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.1"),
                                              b"x" * filling)] if filling else []
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(signer or authority_key, hashes.SHA256()), key


def named(*names):
    return lambda: certificate(names)


def without(usage):
    return {name: is_set and name != usage for name, is_set in SIGNATURE.items()}


def signed_by_a_client():
    issuer, issuer_key = certificate()
    return certificate(issuer=issuer.subject, signer=issuer_key)


def itself():
    key = ec.generate_private_key(ec.SECP256R1())
    return certificate(key=key, signer=key)


CASES = {
    "good": certificate,
    "expired": lambda: certificate(begins=-3, ends=-1),
    "not-yet-valid": lambda: certificate(begins=1, ends=2),
    "of-nobody-we-know": lambda: certificate(signer=ec.generate_private_key(ec.SECP256R1())),
    "signed-by-itself": itself,
    "signed-by-a-client": signed_by_a_client,
    "an-authority": lambda: certificate(is_authority=True),
    "for-servers": lambda: certificate(usages=[SERVER]),
    "for-no-use": lambda: certificate(usages=[]),
    "for-any-use": lambda: certificate(usages=[ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]),
    "for-mail": lambda: certificate(usages=[ExtendedKeyUsageOID.EMAIL_PROTECTION]),
    "not-to-sign": lambda: certificate(key_usage=without("digital_signature") |
                                       {"key_encipherment": True}),
    "to-sign-lists": lambda: certificate(key_usage=without("digital_signature") |
                                         {"crl_sign": True}),
    "short-key": lambda: certificate(key=rsa.generate_private_key(65537, 1024)),
    "common-name-only": named(),
    "host-only": named(x509.DNSName("localhost")),
    "mail-only": named(x509.RFC822Name("client@tresor.local")),
    "two-names": named(uri, uri + "2"),
    "twice-the-name": named(uri, uri),
    "two-names-and-a-host": named(x509.DNSName("localhost"), uri, stem + "/other"),
    "capital-scheme": named(uri.replace("spiffe", "SPIFFE")),
    "capital-domain": named(uri.replace("tresor.local", "Tresor.local")),
    "capital-path": named(uri.replace("/tenant/", "/Tenant/").replace("/svc/", "/SVC/")),
    "capital-name": named(stem + "/" + last.upper()),
    "percent-name": named(stem + f"/%{ord(last[0]):02x}" + last[1:]),
    "percent-slash": named(stem.replace("/", "%2f", 4) + "/" + last),
    "percent-nothing": named(uri + "%00"),
    "a-zero": named(uri + "\0"),
    "a-space": named(uri + " "),
    "a-line": named(uri + "\n"),
    "a-slash": named(uri + "/"),
    "two-slashes": named(stem + "//" + last),
    "a-step-back": named(stem + "/x/../" + last),
    "a-query": named(uri + "?x"),
    "a-fragment": named(uri + "#x"),
    "a-port": named(uri.replace("tresor.local", "tresor.local:443")),
    "a-user": named(uri.replace("tresor.local", "x@tresor.local")),
    "another-domain": named(uri.replace("tresor.local", "tresor.example")),
    "a-domain-below": named(uri.replace("tresor.local", "tresor.local.example")),
    "a-dot-behind": named(uri.replace("tresor.local", "tresor.local.")),
    "https": named(uri.replace("spiffe", "https")),
    "one-more-step": named(uri + "/more"),
    "no-name": named(stem + "/"),
    "long-name": named(stem + "/" + "x" * 64),
    "very-long-name": named(stem + "/" + "x" * 10_000),
    "many-names": named(*(x509.DNSName(f"h{at}.example") for at in range(400)), uri, uri + "2"),
    "too-large": lambda: certificate(filling=20_000),
}


def write(name, made):
    leaf, key = made
    pem = leaf.public_bytes(serialization.Encoding.PEM)
    (directory / f"{name}.pem").write_bytes(pem + pathlib.Path(branch + ".pem").read_bytes())
    (directory / f"{name}.key").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))
    return leaf.public_bytes(serialization.Encoding.DER)


def show(leaves):
    """What the vault says of each as evidence; the address is looked up for whom it names."""
    import grpc
    import stub_maker
    server, proto, certificates, stubs, tenant = shown_to
    stub_maker.make(proto, stubs)
    from tresor.vault.v1 import access_service_pb2, access_service_pb2_grpc, context_pb2
    channel = grpc.secure_channel(server, stub_maker.credentials(certificates, "edge"))
    access = access_service_pb2_grpc.AccessServiceStub(channel)
    chain = [authority.public_bytes(serialization.Encoding.DER)]

    def verdict(leaf):
        evidence = context_pb2.ClientEvidence(
            leaf_der=leaf, chain_der=chain, source_address="127.0.0.1")
        context = context_pb2.RequestContext(tenant=tenant, evidence=evidence)
        try:
            access.Introspect(access_service_pb2.IntrospectRequest(context=context), timeout=30)
        except grpc.RpcError as error:
            return f"{error.code().name} {error.details()}"
        return "OK"
    return {name: verdict(leaf) for name, leaf in leaves.items()}


made = {name: write(name, make()) for name, make in CASES.items()}
print(json.dumps(show(made) if shown_to else {name: "" for name in made}))
