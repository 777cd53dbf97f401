"""Calls that are under way for event loops.

Holds: `Pump`: one number per call, one future each, and one readable descriptor per loop for all of them.
Promises: no thread per call; any loop may empty the queue, and each future is set in its own loop.
"""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections.abc import Callable
from typing import Any

from . import errors
from ._library import ffi, lib
from ._native import Handle, Options, text_of

_BATCH = 256

default_options = Options(None, waits=False)
"""For calls that have none of their own."""


class _Waiting:
    """A future, where it belongs, and how its answer is read."""

    __slots__ = ("decode", "future", "kept", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop, decode: Callable[[Any], Any], kept: Any) -> None:
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()
        self.decode = decode
        self.kept = kept

    def settle(self, value: Any, error: BaseException | None) -> None:
        if self.future.done():
            return
        if error is None:
            self.future.set_result(value)
        else:
            self.future.set_exception(error)


class Pump:
    """The queue of one host."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._lock = threading.Lock()
        self._waiting: dict[int, _Waiting] = {}
        self._descriptors: dict[asyncio.AbstractEventLoop, int] = {}
        weakref.finalize(self, _close_all, self._descriptors)
        self._replies = ffi.new("psa_reply *[]", _BATCH)
        self._count = ffi.new("size_t *")
        self._length = ffi.new("size_t *")
        self._done = ffi.new("psa_done *")[0]

    def submit(self, decode: Callable[[Any], Any], start: Callable[[Any, Any, Any], int], kept: Any) -> tuple[int, Any]:
        """Starts a call; start gets psa_done, where the number goes, and where an error goes."""
        self._handle.check()
        loop = asyncio.get_running_loop()
        if loop not in self._descriptors:
            self._attach(loop)
        waiting = _Waiting(loop, decode, kept)
        number, error = ffi.new("uint64_t *"), ffi.new("psa_reply **")
        # Held until the future is known, so that another loop cannot take its answer before.
        with self._lock:
            if not start(self._done, number, error):
                self._waiting[number[0]] = waiting
                return number[0], waiting.future
        try:
            raise errors.of_json(text_of(error[0], self._length))
        finally:
            lib.psa_reply_free(error[0])

    def call(self, name: bytes, params: bytes, options: Options, decode: Callable[[Any], Any]) -> tuple[int, Any]:
        """Starts a call of a method."""

        def start(done: Any, number: Any, error: Any) -> int:
            given = (ffi.from_buffer(params), len(params))
            code: int = lib.psa_host_submit(self._handle.pointer, name, given, options.pointer, done, number, error)
            return code

        return self.submit(decode, start, options)

    def cancel(self, number: int) -> None:
        """Asks a call to end; its answer is dropped."""
        if not self._handle.state.forked:
            lib.psa_host_cancel(self._handle.pointer, number)

    def _attach(self, loop: asyncio.AbstractEventLoop) -> None:
        self._detach_closed()
        descriptor = lib.psa_host_wake_fd(self._handle.pointer)
        if descriptor < 0:
            raise errors.Unsupported("asyncio needs a descriptor to wait on, which this platform does not have")
        # Ours, so that it stays what it is when the library closes its own.
        copy = os.dup(descriptor)
        self._descriptors[loop] = copy
        loop.add_reader(copy, self._drain, loop)

    def _detach(self, loop: asyncio.AbstractEventLoop) -> None:
        copy = self._descriptors.pop(loop, None)
        if copy is not None:
            if not loop.is_closed():
                loop.remove_reader(copy)
            os.close(copy)

    def _detach_closed(self) -> None:
        for loop in [loop for loop in self._descriptors if loop.is_closed()]:
            self._detach(loop)

    def _drain(self, loop: asyncio.AbstractEventLoop) -> None:
        """Takes what has ended, for all loops."""
        with self._lock:
            code = lib.psa_host_take(self._handle.pointer, self._replies, _BATCH, self._count)
            count = self._count[0] if code == 0 else 0
            taken = [self._one(self._replies[n]) for n in range(count)]
        if code:
            self._detach(loop)
        for entry in taken:
            if entry is None:
                continue
            waiting, value, error = entry
            if waiting.loop is loop:
                waiting.settle(value, error)
                continue
            try:
                waiting.loop.call_soon_threadsafe(waiting.settle, value, error)
            except RuntimeError:
                pass  # Its loop has been closed: nobody waits.

    def _one(self, reply: Any) -> tuple[_Waiting, Any, BaseException | None] | None:
        try:
            waiting = self._waiting.pop(lib.psa_reply_id(reply), None)
            if waiting is None or waiting.future.cancelled():
                return None
            if lib.psa_reply_code(reply):
                return waiting, None, errors.of_json(text_of(reply, self._length))
            try:
                return waiting, waiting.decode(text_of(reply, self._length)), None
            except Exception as error:  # It belongs to who waits, not to the loop.
                return waiting, None, error
        finally:
            lib.psa_reply_free(reply)


def _close_all(descriptors: dict[asyncio.AbstractEventLoop, int]) -> None:
    for copy in descriptors.values():
        os.close(copy)
