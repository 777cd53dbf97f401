"""What a call is made of.

Holds: methods with the types of their results, options, what a stream may be given as, and the two forms of a caller.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, BinaryIO, Generic, Protocol, TypeVar, Union

import msgspec

from . import errors

T = TypeVar("T")

Params = Union[Mapping[str, Any], msgspec.Struct]
"""Parameters of a method: a dictionary, or a struct of `types`."""

Source = Union[bytes, bytearray, memoryview, str, "os.PathLike[str]", BinaryIO]
"""The bytes of an upload: themselves, the path of a file, or a file that is open for reading in binary."""

Sink = Union[str, "os.PathLike[str]", BinaryIO]
"""Where the bytes of a download go: the path of a file, or a file that is open for writing in binary."""


class CallOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to run one call."""

    timeout_ms: int | None = None
    """Ends it after so many milliseconds; as configured if left out."""

    trace_id: str | None = None
    """Appears in the lines of the log that are about it; at most 128 bytes."""


class Method(Generic[T]):
    """A method of the library with the type of its result."""

    __slots__ = ("decode", "kind", "name")

    def __init__(self, name: str, kind: Any) -> None:
        self.name = name.encode()
        self.kind = kind
        self.decode: Callable[[Any], T] = self._first_decoded
        """Makes the result of its JSON."""

    def _first_decoded(self, text: Any) -> T:
        """The type of the result is looked into when it is first needed."""
        self.decode = msgspec.json.Decoder(self.kind).decode
        return self.decode(text)


@functools.lru_cache(maxsize=256)
def raw_method(name: str) -> Method[Any]:
    """A method by its name alone, whose result is a plain dictionary."""
    if "\0" in name:
        raise errors.InvalidArgument("the name of a method has no NUL in it")
    return Method(name, Any)


class Run(Protocol):
    """Calls a method and waits."""

    def __call__(
        self,
        method: Method[T],
        params: Params,
        options: CallOptions | None,
        *,
        source: Source | None = None,
        sink: Sink | None = None,
    ) -> T: ...


class AsyncRun(Protocol):
    """Starts a call of a method, to be awaited."""

    def __call__(
        self,
        method: Method[T],
        params: Params,
        options: CallOptions | None,
        *,
        source: Source | None = None,
        sink: Sink | None = None,
    ) -> Awaitable[T]: ...
