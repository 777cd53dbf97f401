"""HTTP requests and answers as they cross to the library and back.

Leaves to others: servers (`wsgi`, `asgi`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple, Union

from ._library import ffi

Headers = Iterable[tuple[Union[str, bytes], Union[str, bytes]]]
"""Names and values in their order, repeated ones too. Text is sent as UTF-8; bytes as they are."""


class Response(NamedTuple):
    """What to send back: all of it, as it is."""

    status: int
    """200"""
    headers: list[tuple[str, str]]
    """Names, in lower case, and values; a name may come twice."""
    body: bytes
    """The body; empty where there is none."""


class Request:
    """A request as the library reads it; it must live until the library has copied it."""

    __slots__ = ("_kept", "pointer")

    def __init__(self, method: str, url: str | bytes, headers: Headers, body: bytes) -> None:
        self._kept: list[Any] = []
        pairs = [(self._bytes(name), self._bytes(value), (ffi.NULL, 0), 0, 0) for name, value in headers]
        listed = ffi.new("psa_header[]", pairs)
        chunk = ffi.new("psa_chunk *", (self._bytes(body), 0, 0))
        self._kept += (listed, chunk)
        self.pointer = ffi.new("psa_http_request *")
        self.pointer.size = ffi.sizeof("psa_http_request")
        self.pointer.method = self._bytes(method)
        self.pointer.url = self._bytes(url)
        self.pointer.headers = listed
        self.pointer.header_count = len(pairs)
        self.pointer.body = chunk
        self.pointer.body_count = 1 if body else 0

    def _bytes(self, value: str | bytes) -> tuple[Any, int]:
        raw = value.encode() if isinstance(value, str) else value
        held = ffi.from_buffer(raw)
        self._kept.append(held)
        return held, len(raw)


def response(answer: Any) -> Response:
    """Copies an answer of the library."""

    def copied(given: Any) -> bytes:
        return bytes(ffi.buffer(given.ptr, given.len)) if given.len else b""

    def text(given: Any) -> str:
        return copied(given).decode("utf-8", "surrogateescape")

    headers = [(text(answer.headers[n].name), text(answer.headers[n].value)) for n in range(answer.header_count)]
    return Response(answer.status, headers, copied(answer.body))
