"""The library's log lines, in Python's logging.

Holds: one thread per host that fetches lines and hands them to `logging.getLogger("psa_host." + target)`.
Promises: no thread of the library waits for a handler; lines that were dropped are counted and reported.
"""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable
from typing import Any

import msgspec

from ._library import ffi, lib

_LEVELS = {1: logging.ERROR, 2: logging.WARNING, 3: logging.INFO, 4: logging.DEBUG}
_WAIT_MS = 3_600_000


class _Line(msgspec.Struct):
    level: int
    target: str
    text: str


class _Batch(msgspec.Struct):
    lines: list[_Line] = []
    dropped: int = 0


_decode = msgspec.json.Decoder(_Batch).decode


def start(pointer: Any, ended: Callable[[], None]) -> threading.Thread:
    """Starts the thread of a host; it ends with the host, and says so as the last thing it does."""
    thread = threading.Thread(target=_run, args=(pointer, ended), name="psa-log", daemon=True)
    thread.start()
    return thread


def _run(pointer: Any, ended: Callable[[], None]) -> None:
    reply, length = ffi.new("psa_reply **"), ffi.new("size_t *")
    code = lib.PSA_OK
    # Everything else means that there will be no more.
    while code in (lib.PSA_OK, lib.PSA_TIMEOUT):
        code = lib.psa_host_next_log(pointer, _WAIT_MS, reply)
        text = bytes(ffi.buffer(lib.psa_reply_json(reply[0], length), length[0]))
        lib.psa_reply_free(reply[0])
        if code == lib.PSA_OK:
            forward(text)
    ended()


def forward(text: bytes) -> None:
    """Hands a batch of lines to Python's logging."""
    try:
        batch = _decode(text)
        if batch.dropped:
            logging.getLogger("psa_host").warning("%d log lines were dropped: they came too fast", batch.dropped)
        for line in batch.lines:
            level = _LEVELS.get(line.level, logging.DEBUG)
            logging.getLogger(f"psa_host.{line.target}").log(level, "%s", line.text)
    except Exception:  # A filter of the product's: the next lines are to come all the same.
        traceback.print_exc()
