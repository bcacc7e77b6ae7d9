"""Prints the registers of each thread of a process, in hex, a line each.

registers.py PID

The general ones, and all that the processor saves of the others: on x86-64 the extended state with
the vector registers, elsewhere those of floating point. The threads go on afterwards.
"""

import ctypes
import os
import sys

PTRACE_DETACH, PTRACE_GETREGSET, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4204, 0x4206, 0x4207
NT_PRSTATUS, NT_PRFPREG, NT_X86_XSTATE = 1, 2, 0x202
WALL = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def trace(request, thread, address=0, data=0):
    if libc.ptrace(request, thread, address, data) != 0:
        raise OSError(ctypes.get_errno(), f"ptrace {request:#x}")


def register_set(thread, kind):
    buffer = ctypes.create_string_buffer(64 * 1024)
    vector = Iovec(ctypes.addressof(buffer), len(buffer))
    try:
        trace(PTRACE_GETREGSET, thread, kind, ctypes.addressof(vector))
    except OSError:
        return b""
    return buffer.raw[: vector.length]


def main(process):
    for thread in sorted(int(name) for name in os.listdir(f"/proc/{process}/task")):
        trace(PTRACE_SEIZE, thread)
        trace(PTRACE_INTERRUPT, thread)
        os.waitpid(thread, WALL)
        kinds = (NT_PRSTATUS, NT_PRFPREG, NT_X86_XSTATE)
        print(b"".join(register_set(thread, kind) for kind in kinds).hex())
        trace(PTRACE_DETACH, thread)


main(int(sys.argv[1]))
