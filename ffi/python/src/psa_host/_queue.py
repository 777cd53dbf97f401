"""Calls that are under way for event loops.

Holds: `Call`, the future of one call, and `Pump`, the queue of a host with one readable descriptor per loop.
Promises: no thread per call; what the library answers at once is there without a turn of the loop; any loop may empty
the queue, and each future is set in its own loop; who cancels a future cancels its call.
"""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from typing import Any, TypeVar

from . import errors
from ._call import Method
from ._http import Request, Response, response
from ._library import ffi, lib
from ._native import Handle, Options, Room, State, taken, text_of

T = TypeVar("T")

_BATCH = 256
_OK: int = lib.PSA_OK

default_options = Options(None, waits=False)
"""For calls that have none of their own."""


class Call(asyncio.Future[T]):
    """A call under way. It keeps the host alive until its answer has come."""

    __slots__ = ("handle", "method", "number", "options")

    def __init__(
        self,
        handle: Handle,
        method: Method[T] | None,
        options: Options,
        number: int,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(loop=loop)
        self.handle = handle
        self.method = method
        self.options = options
        self.number = number

    def cancel(self, msg: Any | None = None) -> bool:
        """Cancels the call in the library too; its answer still comes, and then its streams end."""
        if not super().cancel(msg):
            return False
        if not self.handle.state.forked:
            lib.psa_host_cancel(self.handle.pointer, self.number)
        return True

    def settle(self, value: Any, error: BaseException | None) -> None:
        """Runs in the loop of the future."""
        if self.done():
            return
        if error is None:
            self.set_result(value)
        else:
            self.set_exception(error)


class Pump:
    """The queue of one host, shared by all who await its calls. It does not keep the handle alive."""

    def __init__(self, state: State) -> None:
        self._state = state
        # One that lets its own thread in again: what the collector ends inside may call, too.
        self._lock = threading.RLock()
        self._calls: dict[int, Call[Any]] = {}
        self._descriptors: dict[asyncio.AbstractEventLoop, int] = {}
        weakref.finalize(self, _close_all, self._descriptors)
        self._replies = ffi.new("psa_reply *[]", _BATCH)
        self._count = ffi.new("size_t *")
        self._done = ffi.new("psa_done *")[0]

    async def call(self, handle: Handle, method: Method[T], params: Any, options: Options) -> T:
        """Calls a method."""
        loop = self._loop(handle)
        room = handle.room()
        given = room.given
        given.ptr, given.len = params, len(params)
        # Held until the future is known, so that another loop cannot take its answer before.
        with self._lock:
            code = lib.psa_host_begin(
                handle.pointer, method.name, given, options.pointer, self._done, room.number, room.reply
            )
            reply = room.reply[0]
            call: Call[T] | None = None if reply else self._noted(handle, method, options, room, loop)
        if call is not None:
            handle.rooms.append(room)
            return await call
        try:
            if code:
                raise errors.of_json(text_of(reply, room.length))
            result = method.decode(text_of(reply, room.length))
        except BaseException:
            options.finish(False)
            raise
        finally:
            lib.psa_reply_free(reply)
            handle.rooms.append(room)
        options.finish(True)
        return result

    async def page(self, handle: Handle, who: bytes, request: Request) -> Response:
        """Serves a request to the page."""
        loop = self._loop(handle)
        room = handle.room()
        given = (ffi.from_buffer(who), len(who))
        with self._lock:
            if lib.psa_host_submit_page(
                handle.pointer, given, request.pointer, self._done, room.number, room.reply
            ):
                raise taken(room.reply[0])
            call: Call[Response] = self._noted(handle, None, default_options, room, loop)
        handle.rooms.append(room)
        return await call

    async def callback(self, handle: Handle, request: Request) -> Response:
        """Serves a request to the callback address."""
        loop = self._loop(handle)
        room = handle.room()
        with self._lock:
            if lib.psa_host_submit_callback(
                handle.pointer, request.pointer, self._done, room.number, room.reply
            ):
                raise taken(room.reply[0])
            call: Call[Response] = self._noted(handle, None, default_options, room, loop)
        handle.rooms.append(room)
        return await call

    def waiting(self) -> int:
        """How many calls are under way."""
        return len(self._calls)

    def _loop(self, handle: Handle) -> asyncio.AbstractEventLoop:
        """The running loop, which wakes when something has ended; refuses a child of a fork."""
        if self._state.forked:
            handle.check()
        loop = asyncio.get_running_loop()
        if loop not in self._descriptors:
            self._attach(handle, loop)
        return loop

    def _noted(
        self,
        handle: Handle,
        method: Method[Any] | None,
        options: Options,
        room: Room,
        loop: asyncio.AbstractEventLoop,
    ) -> Call[Any]:
        """The future of a call that has begun."""
        number = room.number[0]
        call = self._calls[number] = Call(handle, method, options, number, loop)
        return call

    def _attach(self, handle: Handle, loop: asyncio.AbstractEventLoop) -> None:
        self._detach_closed()
        descriptor = lib.psa_host_wake_fd(handle.pointer)
        if descriptor < 0:
            raise errors.Unsupported("asyncio needs a descriptor to wait on, which this platform does not have")
        # Ours, so that it stays what it is when the library closes its own.
        copy = self._descriptors[loop] = os.dup(descriptor)
        loop.add_reader(copy, self._drain, loop)

    def _detach(self, loop: asyncio.AbstractEventLoop) -> None:
        copy = self._descriptors.pop(loop, None)
        if copy is not None:
            if not loop.is_closed():
                loop.remove_reader(copy)
            os.close(copy)

    def _detach_closed(self) -> None:
        for loop in list(self._descriptors):
            if loop.is_closed():
                self._detach(loop)

    def _drain(self, loop: asyncio.AbstractEventLoop) -> None:
        """Takes what has ended, for all loops."""
        with self._lock:
            if not self._calls:
                # Closed: the descriptor stays readable. The host itself may be gone.
                if self._state.closed:
                    self._detach(loop)
                return
            code = lib.psa_host_take(self._state.pointer, self._replies, _BATCH, self._count)
            replies = self._replies[0 : self._count[0] if code == _OK else 0]
            calls = [self._calls.pop(lib.psa_reply_id(reply), None) for reply in replies]
        length = ffi.new("size_t *")
        for reply, call in zip(replies, calls):
            if call is None:  # Whoever began it was interrupted before it was noted.
                lib.psa_reply_free(reply)
                continue
            value, error = _outcome(reply, length, call)
            if (its_loop := call.get_loop()) is loop:
                call.settle(value, error)
                continue
            try:
                its_loop.call_soon_threadsafe(call.settle, value, error)
            except RuntimeError:
                pass  # Its loop has been closed: nobody waits.


def _outcome(reply: Any, length: Any, call: Call[Any]) -> tuple[Any, BaseException | None]:
    """What a reply says; frees it."""
    try:
        failed = lib.psa_reply_code(reply) != _OK
        call.options.finish(not failed)
        if failed:
            return None, errors.of_json(text_of(reply, length))
        if call.method is None:
            return response(lib.psa_reply_http(reply)), None
        return call.method.decode(text_of(reply, length)), None
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


def _close_all(descriptors: dict[asyncio.AbstractEventLoop, int]) -> None:
    for copy in descriptors.values():
        os.close(copy)
