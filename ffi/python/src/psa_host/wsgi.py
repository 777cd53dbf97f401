"""WSGI apps for the Integrations page and for the callback address.

    page = Page(host, identify)          # mount it behind the product's login
    callbacks = Callbacks(host)          # mount it where everybody can reach it: callbacks.address

Holds: `Page`, `Callbacks`, and `PerProcess`, a host that is opened by the process that needs it.
Promises: nobody is let in by default; no cookie of the product reaches the library; a body that is too long is not read to
its end; path, query and body are handed on byte for byte.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Union

from . import _web
from ._http import Response
from .errors import ClosedError, ForkedError, PsaError
from .host import Host
from .types import Config, Who

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

log = logging.getLogger("psa_host.wsgi")

Identify = Callable[["WSGIEnvironment"], Union[Who, Mapping[str, Any], Response, None]]
"""Says who asks: `types.Who`, or its fields as a dictionary; None: nobody may see this (403); a `Response`, such as the way
to the login, is sent as it is. `mount` may be left out: it is SCRIPT_NAME."""

Opened = Union[Host, Callable[[], Host]]
"""A host, or what gives one; it is asked at each request."""

_PIECE = 1 << 16


class PerProcess:
    """A host that each process opens for itself when it first needs it: also after a fork.

    `PerProcess(config)()` is the host of this process. Making one opens nothing, so it may stand in a module.
    """

    def __init__(self, config: Config | Mapping[str, Any] | Callable[[], Config | Mapping[str, Any]]) -> None:
        """config: the configuration, or what gives it when it is needed."""
        self._config: Callable[[], Config | Mapping[str, Any]] = config if callable(config) else lambda: config
        self._lock = threading.Lock()
        self._mine: tuple[int, Host] | None = None
        if hasattr(os, "register_at_fork"):
            # Another thread of the parent may have held it.
            os.register_at_fork(after_in_child=self._renew)

    def _renew(self) -> None:
        self._lock = threading.Lock()

    def __call__(self) -> Host:
        mine = self._mine
        if mine is None or mine[0] != os.getpid():
            with self._lock:
                mine = self._mine
                if mine is None or mine[0] != os.getpid():
                    mine = self._mine = os.getpid(), Host(self._config())
        return mine[1]

    def close(self, *, drain_ms: int = 0) -> None:
        """Closes the host of this process, if it has opened one; the next call opens another."""
        with self._lock:
            mine, self._mine = self._mine, None
        if mine is not None and mine[0] == os.getpid():
            mine[1].close(drain_ms=drain_ms)


class _Door:
    """One of the two doors as a WSGI app."""

    def __init__(self, host: Opened, body_bytes_max: int) -> None:
        self._opened = host
        self._body_bytes_max = body_bytes_max

    def _host(self) -> Host:
        return self._opened if isinstance(self._opened, Host) else self._opened()

    def respond(self, environ: WSGIEnvironment) -> Response:
        """Answers a request, for frameworks that want to send the answer themselves."""
        raise NotImplementedError

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answer = self.respond(environ)
        status = HTTPStatus(answer.status)
        start_response(f"{status.value} {status.phrase}", _web.with_length(environ["REQUEST_METHOD"], answer))
        return [answer.body]


class Page(_Door):
    """The Integrations page. Mount it behind the login: its paths are those below SCRIPT_NAME."""

    def __init__(self, host: Opened, identify: Identify, *, body_bytes_max: int = _web.BODY_BYTES_MAX) -> None:
        """identify: says who asks; see `Identify`. body_bytes_max: a longer body is answered with 413."""
        if not callable(identify):
            raise TypeError(f"identify must be a function that says who asks, not {identify!r}")
        super().__init__(host, body_bytes_max)
        self._identify = identify

    def respond(self, environ: WSGIEnvironment) -> Response:
        who = self._identify(environ)
        if isinstance(who, Response):
            return who
        body = _body(environ, self._body_bytes_max)
        if isinstance(body, Response):
            return body
        who = _web.mounted(who, _script(environ))
        path = _web.as_written(_bytes(environ.get("PATH_INFO", "")), _request_path(environ))
        url = _web.url_of(path, _bytes(environ.get("QUERY_STRING", "")))
        try:
            return self._host().page(who, environ["REQUEST_METHOD"], url, _headers(environ), body)
        except ForkedError:
            raise
        except ClosedError:
            return _web.closed()


class Callbacks(_Door):
    """The callback address. It needs no login, and must not lie behind one."""

    def __init__(self, host: Opened, *, body_bytes_max: int = _web.BODY_BYTES_MAX) -> None:
        """body_bytes_max: a longer body is answered with 413; keep it at `callbacks.body_bytes_max` at least."""
        super().__init__(host, body_bytes_max)

    def respond(self, environ: WSGIEnvironment) -> Response:
        body = _body(environ, self._body_bytes_max)
        if isinstance(body, Response):
            return body
        path = _web.as_written(_bytes(environ.get("PATH_INFO", "")), _request_path(environ))
        url = _web.url_of(path, _bytes(environ.get("QUERY_STRING", "")))
        try:
            return self._host().callback(environ["REQUEST_METHOD"], url, _headers(environ), body)
        except PsaError as error:
            # Not the address: its last part is the token.
            log.error("a callback could not be taken; the PSA is asked to come again: %s", error)
            return _web.come_again()


def below(environ: WSGIEnvironment, prefix: str, **more: object) -> WSGIEnvironment:
    """A request as an app that is mounted at prefix, "/integrations", sees it; for frameworks that route by themselves.

    more: further entries, for `identify`.
    """
    path = environ.get("PATH_INFO", "")
    if not path.startswith(prefix):
        raise ValueError(f"the request is not below {prefix}")
    moved = {"SCRIPT_NAME": environ.get("SCRIPT_NAME", "") + prefix, "PATH_INFO": path[len(prefix) :]}
    return {**environ, **moved, **more}


def _bytes(text: str) -> bytes:
    """What WSGI shows as text is bytes, each as one letter."""
    return text.encode("latin-1")


def _script(environ: WSGIEnvironment) -> bytes:
    return _bytes(environ.get("SCRIPT_NAME", "").rstrip("/"))


def _request_path(environ: WSGIEnvironment) -> bytes | None:
    """The path of the request line, where the server has kept it."""
    line = environ.get("REQUEST_URI") or environ.get("RAW_URI")
    return _web.path_of(_bytes(line)) if isinstance(line, str) else None


def _headers(environ: WSGIEnvironment) -> list[tuple[bytes, bytes]]:
    def named() -> Iterator[tuple[bytes, bytes]]:
        for name, value in environ.items():
            if name.startswith("HTTP_"):
                name = name[len("HTTP_") :]
            elif name not in ("CONTENT_TYPE", "CONTENT_LENGTH") or not value:
                continue
            yield name.replace("_", "-").lower().encode("latin-1"), _bytes(value)

    return _web.handed_on(named())


def _body(environ: WSGIEnvironment, most: int) -> bytes | Response:
    """The body, or what to answer instead."""
    length = _web.declared_length(environ.get("CONTENT_LENGTH"))
    if length is None and not (environ.get("wsgi.input_terminated") or "HTTP_TRANSFER_ENCODING" in environ):
        return b""
    if length is not None and length < 0:
        return _web.broken()
    if length is not None and length > most:
        return _web.too_large()
    pieces: list[bytes] = []
    have, wanted = 0, most + 1 if length is None else length
    while have < wanted and (piece := environ["wsgi.input"].read(min(_PIECE, wanted - have))):
        pieces.append(piece)
        have += len(piece)
    if have > most:
        return _web.too_large()
    return b"".join(pieces) if length is None or have == length else _web.broken()
