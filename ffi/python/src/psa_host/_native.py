"""One opened host of the library: its life, and how it is called.

Holds: `Handle`, which the blocking and the asyncio host share, and `Method`, what a call is made of.
Promises: no function of Python is given to a thread of the library, so that none runs in an interpreter that ends; a
handle is freed only when nobody has it any more; a child of a fork is refused before the library is asked.
"""

from __future__ import annotations

import atexit
import os
import threading
import warnings
import weakref
from typing import Any, TypeVar

from . import _logs, errors
from ._call import CallOptions, Method, Sink, Source
from ._http import Request, Response, response
from ._library import ffi, lib
from ._streams import Stream, reader, writer

T = TypeVar("T")

PSA_TIMEOUT: int = lib.PSA_TIMEOUT

_LAST_LINES_SECONDS = 2.0

_interruptions: dict[int, BaseException] = {}
"""What signal handlers have raised in threads that waited in the library, by thread."""


def _note_interruption(_kind: object, value: BaseException, _trace: object) -> None:
    _interruptions[threading.get_ident()] = value


def _wait_on(_ctx: object) -> int:
    """Asked on the calling thread while it waits: Python runs its signal handlers as this begins."""
    return 1


_keep_going = ffi.callback("int32_t(void *)", _wait_on, error=0, onerror=_note_interruption)


class Options:
    """Options as the library reads them; they must live until the call is done."""

    __slots__ = ("_kept", "_streams", "pointer")

    def __init__(
        self,
        options: CallOptions | None,
        source: Source | None = None,
        sink: Sink | None = None,
        *,
        waits: bool,
    ) -> None:
        self.pointer = ffi.new("psa_call_options *")
        self.pointer.size = ffi.sizeof("psa_call_options")
        self._streams: list[Stream] = []
        if waits:
            self.pointer.keep_going = _keep_going
        if options is not None:
            trace_id = (options.trace_id or "").encode()
            self._kept = ffi.from_buffer(trace_id)
            self.pointer.timeout_ms = options.timeout_ms or 0
            self.pointer.trace_id = (self._kept, len(trace_id))
        try:
            if source is not None:
                self.pointer.input = self._opened(reader(source))
            if sink is not None:
                self.pointer.output = self._opened(writer(sink))
        except BaseException:
            self.finish(False)
            raise

    def _opened(self, stream: Stream) -> Any:
        self._streams.append(stream)
        return stream.pointer

    def finish(self, succeeded: bool) -> None:
        """Ends the streams, once the call is done; again does nothing."""
        for stream in self._streams:
            stream.finish(succeeded)


def borrowed(text: bytes) -> Any:
    """Bytes as the library reads them. Who prints a traceback with its variables does not see what they are."""
    return ffi.from_buffer(text)


default_options = Options(None, waits=True)
"""For calls that wait and have none of their own."""


def text_of(reply: Any, length: Any) -> Any:
    """The JSON of a reply, valid until the reply is freed."""
    text = lib.psa_reply_json(reply, length)
    return ffi.buffer(text, length[0])


class Room:
    """Where one call at a time has its parameters, and the library writes its answer. Making it costs as much as a call.

    Never shared: the collector may run the code of others, and they may call, between any two lines here.
    """

    __slots__ = ("given", "length", "number", "reply")

    def __init__(self) -> None:
        self.given = ffi.new("psa_bytes *")[0]
        self.number = ffi.new("uint64_t *")
        self.reply = ffi.new("psa_reply **")
        self.length = ffi.new("size_t *")


class State:
    """What a handle, its end and its log thread share; it does not keep the handle alive."""

    def __init__(self, pointer: Any) -> None:
        self.pointer = pointer
        self.closed = False
        self.forked = False
        # Whoever collects garbage may be the one who leaves.
        self._lock = threading.RLock()
        self._users = 2
        self.log_thread = _logs.start(pointer, self.leave)

    def close(self, drain_ms: int) -> int:
        """Closes the host; again does no harm."""
        self.closed = True
        code: int = lib.psa_host_close(self.pointer, drain_ms)
        return code

    def leave(self) -> None:
        """The handle is gone, or the log thread ends: the last one frees the host."""
        with self._lock:
            self._users -= 1
            last = self._users == 0
        if last:
            lib.psa_host_free(self.pointer)


def _end(state: State) -> None:
    """Runs when nobody has the handle any more."""
    if state.forked:
        return
    if not state.closed:
        warnings.warn("a psa_host was not closed; use it in a `with`, or call close()", ResourceWarning, stacklevel=2)
        state.close(0)
    state.leave()


class Handle:
    """An opened host."""

    def __init__(self, config: bytes) -> None:
        opened, error = ffi.new("psa_host **"), ffi.new("psa_reply **")
        held = ffi.from_buffer(config)
        if lib.psa_host_open((held, len(config)), ffi.NULL, opened, error):
            raise taken(error[0])
        self.state = State(opened[0])
        self.pointer = opened[0]
        self.pump: Any = None
        """What asyncio waits on; made when first needed."""
        self.rooms: list[Room] = []
        """Those that nobody has; one is given back when nothing of its call is in it any more."""
        self._finalizer = weakref.finalize(self, _end, self.state)
        # At exit it is closed, not freed: a daemon thread may still be about to use it.
        self._finalizer.atexit = False
        _open.add(self)

    def check(self) -> None:
        """Refuses a child of a fork: the threads of the host are in the parent."""
        if self.state.forked:
            raise errors.ForkedError(errors.FORKED, reason="forked")

    def room(self) -> Room:
        """One that nobody has."""
        try:
            return self.rooms.pop()
        except IndexError:
            return Room()

    def call(self, method: Method[T], params: Any, options: Options) -> T:
        """Calls a method and waits; what a signal handler raises ends the call and is raised."""
        if self.state.forked:
            self.check()
        room = self.room()
        given = room.given
        given.ptr, given.len = params, len(params)
        code = lib.psa_host_call(self.pointer, method.name, given, options.pointer, room.reply)
        reply = room.reply[0]
        try:
            if _interruptions:
                _raise_interruption()
            if code:
                _end_with_the_interpreter()
                raise errors.of_json(text_of(reply, room.length))
            result = method.decode(text_of(reply, room.length))
        except BaseException:
            options.finish(False)
            raise
        finally:
            lib.psa_reply_free(reply)
            self.rooms.append(room)
        options.finish(True)
        return result

    def page(self, who: bytes, request: Request) -> Response:
        """Serves a request to the page."""
        self.check()
        reply = ffi.new("psa_reply **")
        lib.psa_host_page(self.pointer, (ffi.from_buffer(who), len(who)), request.pointer, reply)
        return _served(reply[0])

    def callback(self, request: Request) -> Response:
        """Serves a request to the callback address."""
        self.check()
        reply = ffi.new("psa_reply **")
        lib.psa_host_callback(self.pointer, request.pointer, reply)
        return _served(reply[0])

    def close(self, drain_ms: int) -> bool:
        """Closes the host; False: a plugin hung and was left behind. In a child of a fork it does nothing."""
        if self.state.forked:
            return True
        _open.discard(self)
        code = self.state.close(drain_ms)
        # What was logged at last is to be seen; a handler that waits for this thread must not stop it.
        if threading.current_thread() is not self.state.log_thread:
            self.state.log_thread.join(_LAST_LINES_SECONDS)
        return code != PSA_TIMEOUT


_exiting = threading.Event()


def _end_with_the_interpreter() -> None:
    """A daemon thread whose call ended because everything ends is left where it is, as Python leaves such threads."""
    if _exiting.is_set() and threading.current_thread().daemon:
        threading.Event().wait()


def _raise_interruption() -> None:
    interruption = _interruptions.pop(threading.get_ident(), None)
    if interruption is not None:
        raise interruption


def _served(reply: Any) -> Response:
    answer = lib.psa_reply_http(reply)
    if not answer:
        raise taken(reply)
    try:
        return response(answer)
    finally:
        lib.psa_reply_free(reply)


def taken(reply: Any) -> errors.PsaError:
    """The exception that a reply stands for; frees the reply."""
    try:
        return errors.of_json(text_of(reply, ffi.new("size_t *")))
    finally:
        lib.psa_reply_free(reply)


_open: weakref.WeakSet[Handle] = weakref.WeakSet()


def _close_all() -> None:
    """Before the interpreter ends: threads that wait in the library return while they still can."""
    _exiting.set()
    for handle in list(_open):
        if not handle.state.forked:
            handle.state.close(0)


def _forget_all() -> None:
    """In the child of a fork."""
    for handle in list(_open):
        handle.state.forked = True


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
