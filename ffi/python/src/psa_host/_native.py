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
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec

from . import errors
from ._http import Request, Response, response
from ._library import ffi, lib

T = TypeVar("T")

_interruptions: dict[int, BaseException] = {}
"""What signal handlers have raised in threads that waited in the library, by thread."""


def _note_interruption(_kind: object, value: BaseException, _trace: object) -> None:
    _interruptions[threading.get_ident()] = value


def _wait_on(_ctx: object) -> int:
    """Asked on the calling thread while it waits: Python runs its signal handlers as this begins."""
    return 1


_keep_going = ffi.callback("int32_t(void *)", _wait_on, error=0, onerror=_note_interruption)


class CallOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to run one call."""

    timeout_ms: int | None = None
    """Ends it after so many milliseconds; as configured if left out."""

    trace_id: str | None = None
    """Appears in the lines of the log that are about it; at most 128 bytes."""


class Method(Generic[T]):
    """A method of the library with the type of its result."""

    __slots__ = ("_decode", "kind", "name")

    def __init__(self, name: str, kind: Any) -> None:
        self.name = name.encode()
        self.kind = kind
        self._decode: Callable[[Any], T] | None = None

    def decoded(self, text: Any) -> T:
        """The result; its type is looked into when it is first needed."""
        decode = self._decode
        if decode is None:
            decode = self._decode = msgspec.json.Decoder(self.kind).decode
        return decode(text)


def raw_method(name: str) -> Method[Any]:
    """A method by its name alone, whose result is a plain dictionary."""
    if "\0" in name:
        raise errors.InvalidArgument("the name of a method has no NUL in it")
    return Method(name, Any)


class Options:
    """Options as the library reads them; they must live until the call is done."""

    __slots__ = ("_kept", "pointer")

    def __init__(self, options: CallOptions | None, *, waits: bool) -> None:
        self.pointer = ffi.new("psa_call_options *")
        self.pointer.size = ffi.sizeof("psa_call_options")
        if waits:
            self.pointer.keep_going = _keep_going
        if options is not None:
            trace_id = (options.trace_id or "").encode()
            self._kept = ffi.from_buffer(trace_id)
            self.pointer.timeout_ms = options.timeout_ms or 0
            self.pointer.trace_id = (self._kept, len(trace_id))


default_options = Options(None, waits=True)
"""For calls that wait and have none of their own."""


def text_of(reply: Any, length: Any) -> Any:
    """The JSON of a reply, valid until the reply is freed."""
    text = lib.psa_reply_json(reply, length)
    return ffi.buffer(text, length[0])


class State:
    """What a handle and its end share; it does not keep the handle alive."""

    __slots__ = ("closed", "forked", "pid", "pointer")

    def __init__(self, pointer: Any) -> None:
        self.pointer = pointer
        self.pid = os.getpid()
        self.closed = False
        self.forked = False

    def close(self, drain_ms: int) -> int:
        """Closes the host; again does no harm."""
        self.closed = True
        code: int = lib.psa_host_close(self.pointer, drain_ms)
        return code


def _end(state: State) -> None:
    """Runs when nobody has the handle any more."""
    if state.forked:
        return
    if not state.closed:
        warnings.warn("a psa_host was not closed; use it in a `with`, or call close()", ResourceWarning, stacklevel=2)
        state.close(0)
    lib.psa_host_free(state.pointer)


class Handle:
    """An opened host."""

    def __init__(self, config: bytes) -> None:
        opened, error = ffi.new("psa_host **"), ffi.new("psa_reply **")
        held = ffi.from_buffer(config)
        if lib.psa_host_open((held, len(config)), ffi.NULL, opened, error):
            raise _taken(error[0])
        self.state = State(opened[0])
        self.pointer = opened[0]
        self._slots: list[tuple[Any, Any]] = []
        self._finalizer = weakref.finalize(self, _end, self.state)
        # At exit it is closed, not freed: a daemon thread may still be about to use it.
        self._finalizer.atexit = False
        _open.add(self)

    def check(self) -> None:
        """Refuses a child of a fork: the threads of the host are in the parent."""
        if self.state.forked:
            raise errors.ForkedError(errors.FORKED, reason="forked")

    def call(self, method: Method[T], params: bytes, options: Options) -> T:
        """Calls a method and waits; what a signal handler raises ends the call and is raised."""
        if self.state.forked:
            self.check()
        try:
            slot = self._slots.pop()
        except IndexError:
            slot = ffi.new("psa_reply **"), ffi.new("size_t *")
        reply, length = slot
        code = lib.psa_host_call(self.pointer, method.name, (ffi.from_buffer(params), len(params)), options.pointer, reply)
        try:
            if _interruptions:
                _raise_interruption()
            if code:
                raise errors.of_json(text_of(reply[0], length))
            return method.decoded(text_of(reply[0], length))
        finally:
            lib.psa_reply_free(reply[0])
            self._slots.append(slot)

    def page(self, who: bytes, request: Request) -> Response:
        """Serves a request to the page."""
        self.check()
        reply = ffi.new("psa_reply **")
        code = lib.psa_host_page(self.pointer, (ffi.from_buffer(who), len(who)), request.pointer, reply)
        return self._served(code, reply[0])

    def callback(self, request: Request) -> Response:
        """Serves a request to the callback address."""
        self.check()
        reply = ffi.new("psa_reply **")
        code = lib.psa_host_callback(self.pointer, request.pointer, reply)
        return self._served(code, reply[0])

    def _served(self, code: int, reply: Any) -> Response:
        answer = lib.psa_reply_http(reply)
        if code or not answer:
            raise _taken(reply)
        try:
            return response(answer)
        finally:
            lib.psa_reply_free(reply)

    def close(self, drain_ms: int) -> None:
        """Closes the host; in a child of a fork it does nothing."""
        if self.state.forked:
            return
        _open.discard(self)
        code = self.state.close(drain_ms)
        if code == lib.PSA_TIMEOUT:
            raise errors.Timeout("a plugin hung and was left behind; the host is closed")
        if code:
            raise errors.of_code(code, ffi.string(lib.psa_code_name(code)).decode())


def _raise_interruption() -> None:
    interruption = _interruptions.pop(threading.get_ident(), None)
    if interruption is not None:
        raise interruption


def _taken(reply: Any) -> errors.PsaError:
    """The exception that a reply stands for; frees the reply."""
    try:
        return errors.of_json(text_of(reply, ffi.new("size_t *")))
    finally:
        lib.psa_reply_free(reply)


_open: weakref.WeakSet[Handle] = weakref.WeakSet()


def _close_all() -> None:
    """Before the interpreter ends: threads that wait in the library return while they still can."""
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
