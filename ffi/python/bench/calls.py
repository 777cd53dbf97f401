"""What a call costs from Python: python bench/calls.py FOLDER_WITH_PSA_SIMULATOR

Prints one line of JSON, in microseconds per call: a cached read of one ticket, typed; the same by its name into a
dictionary; the same bytes by bare cffi and by ctypes; and a call of asyncio with 1,000 in flight, as the clock and as
the loop's own thread counts it, beside what gathering 1,000 empty coroutines costs. All in one run: read them as ratios.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from scene import Simulator, config_in, connect  # noqa: E402

import psa_host  # noqa: E402
from psa_host._library import ffi, lib, library_path  # noqa: E402

CALLS = 2_000
ROUNDS = 7
IN_FLIGHT = 1_000


def best(work: Callable[[], object]) -> float:
    """Microseconds per call, the best of some rounds."""
    work()
    found: list[float] = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(CALLS):
            work()
        found.append((time.perf_counter() - began) / CALLS * 1e6)
    return min(found)


def by_cffi(pointer: Any, params: bytes) -> Callable[[], bytes]:
    """Bytes in and out, and nothing else."""
    reply, length = ffi.new("psa_reply **"), ffi.new("size_t *")
    given = ffi.from_buffer(params)

    def call() -> bytes:
        lib.psa_host_call(pointer, b"tickets.get", (given, len(given)), ffi.NULL, reply)
        text = bytes(ffi.buffer(lib.psa_reply_json(reply[0], length), length[0]))
        lib.psa_reply_free(reply[0])
        return text

    return call


class Bytes(ctypes.Structure):
    """psa_bytes"""

    _fields_ = [("ptr", ctypes.c_char_p), ("len", ctypes.c_size_t)]


def by_ctypes(pointer: Any, params: bytes) -> Callable[[], Any]:
    """As examples/python-host does it, into a dictionary."""
    psa = ctypes.CDLL(str(library_path()))
    psa.psa_reply_json.restype = ctypes.c_char_p
    host, reply = ctypes.c_void_p(int(ffi.cast("uintptr_t", pointer))), ctypes.c_void_p()

    def call() -> Any:
        psa.psa_host_call(host, b"tickets.get", Bytes(params, len(params)), None, ctypes.byref(reply))
        text = psa.psa_reply_json(reply, None)
        psa.psa_reply_free(reply)
        return json.loads(text)

    return call


async def at_once(work: Callable[[], Awaitable[object]], clock: Callable[[], float]) -> float:
    """Microseconds per call with many in flight, the best of some rounds."""
    found: list[float] = []
    for _ in range(ROUNDS):
        began = clock()
        await asyncio.gather(*[work() for _ in range(IN_FLIGHT)])
        found.append((clock() - began) / IN_FLIGHT * 1e6)
    return min(found)


async def nothing() -> None:
    """An empty coroutine."""


def measure(host: psa_host.Host, connection: str) -> dict[str, float]:
    """All figures."""
    given = {"tenant": "t", "connection": connection, "ticket": "1001"}
    params, asynchronous = json.dumps(given).encode(), psa_host.AsyncHost(host)
    pointer = host._handle.pointer  # pyright: ignore[reportPrivateUsage]

    def awaited() -> Awaitable[object]:
        return asynchronous.tickets.get(tenant="t", connection=connection, ticket="1001")

    return {
        "typed": best(lambda: host.tickets.get(tenant="t", connection=connection, ticket="1001")),
        "by_name": best(lambda: host.call("tickets.get", given)),
        "cffi": best(by_cffi(pointer, params)),
        "ctypes": best(by_ctypes(pointer, params)),
        "asyncio": asyncio.run(at_once(awaited, time.perf_counter)),
        "asyncio_thread": asyncio.run(at_once(awaited, time.thread_time)),
        "gather": asyncio.run(at_once(nothing, time.perf_counter)),
        "gather_thread": asyncio.run(at_once(nothing, time.thread_time)),
    }


def main() -> None:
    simulator = Simulator(Path(sys.argv[1]) / "psa-simulator")
    with tempfile.TemporaryDirectory() as folder, psa_host.Host(config_in(Path(folder), simulator)) as host:
        figures = measure(host, connect(host, simulator))
    simulator.end()
    print(json.dumps({name: round(figure, 2) for name, figure in figures.items()}))


if __name__ == "__main__":
    main()
