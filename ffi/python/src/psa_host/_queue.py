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
from typing import Any, Generic, TypeVar

from . import errors
from ._call import Method
from ._http import Request, Response, response
from ._library import ffi, lib
from ._native import Handle, Options, State, taken, text_of

T = TypeVar("T")

_BATCH = 256

default_options = Options(None, waits=False)
"""For calls that have none of their own."""


class _Waiting(Generic[T]):
    """A future, where it belongs, and how its answer is read; keeps the handle alive until it is."""

    __slots__ = ("future", "handle", "loop", "options", "read")

    def __init__(
        self, handle: Handle, loop: asyncio.AbstractEventLoop, read: Callable[[Any, Any], T], options: Options
    ) -> None:
        self.handle = handle
        self.loop = loop
        self.future: asyncio.Future[T] = loop.create_future()
        self.read = read
        self.options = options

    def settle(self, value: Any, error: BaseException | None) -> None:
        """Runs in the loop of the future."""
        if self.future.done():
            return
        if error is None:
            self.future.set_result(value)
        else:
            self.future.set_exception(error)


class Pump:
    """The queue of one host, shared by all who await its calls. It does not keep the handle alive."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._lock = threading.Lock()
        self._waiting: dict[int, _Waiting[Any]] = {}
        self._descriptors: dict[asyncio.AbstractEventLoop, int] = {}
        weakref.finalize(self, _close_all, self._descriptors)
        self._replies = ffi.new("psa_reply *[]", _BATCH)
        self._count = ffi.new("size_t *")
        self._done = ffi.new("psa_done *")[0]

    async def call(self, handle: Handle, method: Method[T], params: Any, options: Options) -> T:
        """Calls a method and awaits it."""

        def start(number: Any, error: Any) -> int:
            given = (params, len(params))
            code: int = lib.psa_host_submit(
                handle.pointer, method.name, given, options.pointer, self._done, number, error
            )
            return code

        def read(reply: Any, length: Any) -> T:
            return method.decoded(text_of(reply, length))

        return await self._awaited(handle, start, read, options)

    async def page(self, handle: Handle, who: bytes, request: Request) -> Response:
        """Serves a request to the page."""

        def start(number: Any, error: Any) -> int:
            given = (ffi.from_buffer(who), len(who))
            code: int = lib.psa_host_submit_page(
                handle.pointer, given, request.pointer, self._done, number, error
            )
            return code

        return await self._awaited(handle, start, _http_of, default_options)

    async def callback(self, handle: Handle, request: Request) -> Response:
        """Serves a request to the callback address."""

        def start(number: Any, error: Any) -> int:
            code: int = lib.psa_host_submit_callback(handle.pointer, request.pointer, self._done, number, error)
            return code

        return await self._awaited(handle, start, _http_of, default_options)

    async def _awaited(
        self, handle: Handle, start: Callable[[Any, Any], int], read: Callable[[Any, Any], T], options: Options
    ) -> T:
        """Starts a call and awaits its answer; start gets where its number and an error go."""
        handle.check()
        loop = asyncio.get_running_loop()
        if loop not in self._descriptors:
            self._attach(handle, loop)
        waiting = _Waiting(handle, loop, read, options)
        number, error = ffi.new("uint64_t *"), ffi.new("psa_reply **")
        # Held until the future is known, so that another loop cannot take its answer before.
        with self._lock:
            if not start(number, error):
                self._waiting[number[0]] = waiting
        if error[0]:
            options.finish(False)
            raise taken(error[0])
        try:
            return await waiting.future
        except asyncio.CancelledError:
            # Its answer still comes; then its streams end.
            if not handle.state.forked:
                lib.psa_host_cancel(handle.pointer, number[0])
            raise

    def _attach(self, handle: Handle, loop: asyncio.AbstractEventLoop) -> None:
        self._detach_closed()
        descriptor = lib.psa_host_wake_fd(handle.pointer)
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
            if not self._waiting:
                # Closed: the descriptor stays readable. The host itself may be gone.
                if self._state.closed:
                    self._detach(loop)
                return
            code = lib.psa_host_take(self._state.pointer, self._replies, _BATCH, self._count)
            taken = [self._replies[n] for n in range(self._count[0] if code == lib.PSA_OK else 0)]
            waiting = [self._waiting.pop(lib.psa_reply_id(reply)) for reply in taken]
        length = ffi.new("size_t *")
        for reply, who in zip(taken, waiting):
            value, error = _outcome(reply, length, who)
            if who.loop is loop:
                who.settle(value, error)
                continue
            try:
                who.loop.call_soon_threadsafe(who.settle, value, error)
            except RuntimeError:
                pass  # Its loop has been closed: nobody waits.


def _outcome(reply: Any, length: Any, waiting: _Waiting[Any]) -> tuple[Any, BaseException | None]:
    """What a reply says; frees it."""
    try:
        failed = lib.psa_reply_code(reply) != lib.PSA_OK
        waiting.options.finish(not failed)
        if failed:
            return None, errors.of_json(text_of(reply, length))
        return waiting.read(reply, length), None
    except Exception as error:  # It belongs to who waits, not to the loop.
        return None, error
    finally:
        lib.psa_reply_free(reply)


_making = threading.Lock()


def pump_of(handle: Handle) -> Pump:
    """The pump of a host: one, or they would take each other's answers."""
    with _making:
        if handle.pump is None:
            handle.pump = Pump(handle.state)
        pump: Pump = handle.pump
        return pump


def _http_of(reply: Any, _length: Any) -> Response:
    return response(lib.psa_reply_http(reply))


def _close_all(descriptors: dict[asyncio.AbstractEventLoop, int]) -> None:
    for copy in descriptors.values():
        os.close(copy)
