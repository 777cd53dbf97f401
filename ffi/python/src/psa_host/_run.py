"""How the typed methods reach a host.

Holds: what a stream may be given as, and the two forms of a caller.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, BinaryIO, Protocol, TypeVar, Union

import msgspec

from ._native import CallOptions, Method

T = TypeVar("T")

Params = Union[Mapping[str, Any], msgspec.Struct]
"""Parameters of a method: a dictionary, or a struct of `types`."""

Source = Union[bytes, bytearray, memoryview, str, "os.PathLike[str]", BinaryIO]
"""The bytes of an upload: themselves, the path of a file, or a file that is open for reading in binary."""

Sink = Union[str, "os.PathLike[str]", BinaryIO]
"""Where the bytes of a download go: the path of a file, or a file that is open for writing in binary."""


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
    """Calls a method and awaits it."""

    async def __call__(
        self,
        method: Method[T],
        params: Params,
        options: CallOptions | None,
        *,
        source: Source | None = None,
        sink: Sink | None = None,
    ) -> T: ...
