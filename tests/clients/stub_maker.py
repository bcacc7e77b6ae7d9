"""Python's stubs of the .proto files, made here and now, and what every client needs with them."""

import pathlib
import sys

import grpc
import grpc_tools
from grpc_tools import protoc

DETAILS = "grpc-status-details-bin"


def make(proto, stubs):
    """Makes the stubs in a directory and lets them be imported."""
    pathlib.Path(stubs).mkdir(exist_ok=True)
    roots = [pathlib.Path(proto) / name for name in ("schema", "third_party")]
    roots.append(pathlib.Path(__file__).parent)
    files = [str(file) for root in roots for file in root.rglob("*.proto")]
    well_known = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    made = protoc.main(
        ["protoc", *(f"-I{root}" for root in [*roots, well_known]),
         f"--python_out={stubs}", f"--grpc_python_out={stubs}", *files])
    assert made == 0, "the stubs are made"
    sys.path.insert(0, str(stubs))


def credentials(certificates, service):
    """Of a service, by the certificates in a directory."""
    files = [pathlib.Path(certificates) / name
             for name in ("ca.pem", f"{service}.key", f"{service}.pem")]
    return grpc.ssl_channel_credentials(*(file.read_bytes() for file in files))


def refusal(error):
    """What an error says beside its gRPC code: our own code, and whether when to come back."""
    code, seconds = details_of(error)
    return code, seconds > 0


def delay(error):
    """When to come back, in seconds; 0 when an error does not say so."""
    return details_of(error)[1]


def details_of(error):
    from google.rpc import error_details_pb2, status_pb2
    details = dict(error.trailing_metadata() or ()).get(DETAILS, b"")
    info, retry, seconds = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo(), 0
    for detail in status_pb2.Status.FromString(details).details:
        detail.Unpack(info)
        if detail.Unpack(retry):
            seconds = retry.retry_delay.ToTimedelta().total_seconds()
    return info.reason, seconds
