"""What the apps for WSGI and ASGI have in common.

Holds: paths below a mount, which headers are handed on, short answers of our own.
Promises: a path is handed on as the browser wrote it, wherever the server has kept that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import msgspec

from ._http import Response
from .types import Who

BODY_BYTES_MAX = 1 << 20
"""A longer body is answered with 413 unless the app says otherwise, in bytes."""

_KEPT_BACK = frozenset((b"authorization", b"cookie", b"proxy-authorization"))
"""The product's own: the library reads none of them."""

_RETRY_AFTER_S = "2"
_ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}")


def handed_on(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers that are the library's business; names are in lower case."""
    return [(name, value) for name, value in headers if name not in _KEPT_BACK]


def quoted(path: bytes) -> bytes:
    """A decoded path, percent-encoded."""
    return quote(path, safe="/-._~!$&'()*+,;=:@").encode()


def as_written(below: bytes, whole: bytes | None) -> bytes:
    """The path below the mount, as the browser wrote it.

    below: the same, decoded. whole: the path of the request line, with or without what is above the mount; None: not kept.
    """
    decoded = b"" if whole is None else unquote_to_bytes(whole)
    if whole is None or not decoded.endswith(below):
        return quoted(below)
    at = 0
    for _ in range(len(decoded) - len(below)):
        at += 3 if _ESCAPE.match(whole, at) else 1
    return whole[at:]


def path_of(request_line: bytes) -> bytes:
    """The path of what a request line asks for, which may be a whole URL."""
    path = request_line.partition(b"?")[0]
    if not path.startswith(b"/"):
        path = b"/" + path.partition(b"://")[2].partition(b"/")[2]
    return path


def url_of(path: bytes, query: bytes) -> bytes:
    """Path and query as one."""
    return (path or b"/") + (b"?" + query if query else b"")


def mounted(who: Who | Mapping[str, Any] | None, mount: bytes) -> Who | Mapping[str, Any] | None:
    """Who asks, with the mount filled in unless the product has named it."""
    text = quoted(mount).decode()
    if who is None:
        return None
    if isinstance(who, Who):
        return who if who.mount else msgspec.structs.replace(who, mount=text)
    return who if who.get("mount") else {**who, "mount": text}


def declared_length(value: str | bytes | None) -> int | None:
    """What Content-Length says; -1 for what is no length."""
    if not value:
        return None
    text = value if isinstance(value, str) else value.decode("latin-1")
    return int(text) if text.isascii() and text.isdigit() else -1


def short(status: int, text: str, *more: tuple[str, str]) -> Response:
    """An answer of our own."""
    headers = [("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store"), *more]
    return Response(status, headers, text.encode())


def too_large() -> Response:
    """To a body that is not read to its end."""
    return short(413, "This is longer than anything that belongs here.")


def broken() -> Response:
    """To a body that did not come as announced."""
    return short(400, "The body is not as long as was said.")


def come_again() -> Response:
    """To a callback that cannot be kept now."""
    return short(429, "It cannot be kept now. Try again.", ("retry-after", _RETRY_AFTER_S))


def closed() -> Response:
    """To who comes while the host is being closed."""
    return short(503, "This is being restarted. Try again.", ("retry-after", _RETRY_AFTER_S))


def with_length(method: str, answer: Response) -> list[tuple[str, str]]:
    """The headers of an answer, with its length where there is one."""
    bodiless = method == "HEAD" or answer.status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
    return answer.headers if bodiless else [*answer.headers, ("content-length", str(len(answer.body)))]
