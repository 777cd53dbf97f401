"""ASGI apps for the Integrations page and for the callback address.

    page = Page(host, identify)          # mount it behind the product's login
    callbacks = Callbacks(host)          # mount it where everybody can reach it: callbacks.address

Holds: `Page` and `Callbacks`.
Promises: nobody is let in by default; no cookie of the product reaches the library; a body that is too long is not read to
its end; path, query and body are handed on byte for byte; a write is not given up because somebody has gone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, MutableMapping
from inspect import isawaitable
from typing import Any, Union

from . import _web
from ._http import Response
from .aio import AsyncHost
from .errors import ClosedError, ForkedError, PsaError
from .types import Who

log = logging.getLogger("psa_host.asgi")

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

Asking = Union[Who, Mapping[str, Any], Response, None]
"""`types.Who`, or its fields as a dictionary; None: nobody may see this (403); a `Response`, such as the way to the login, is
sent as it is. `mount` may be left out: it is the scope's root_path."""

Identify = Callable[[Scope], Union[Asking, Awaitable[Asking]]]
"""Says who asks."""

Opened = Union[AsyncHost, Callable[[], AsyncHost]]
"""A host, or what gives one; it is asked at each request, and where the server speaks lifespan at its start."""


class _Gone(Exception):
    """Nobody waits for the answer any more."""


class _Door:
    """One of the two doors as an ASGI app."""

    def __init__(self, host: Opened, body_bytes_max: int) -> None:
        self._opened = host
        self._body_bytes_max = body_bytes_max

    def _host(self) -> AsyncHost:
        return self._opened if isinstance(self._opened, AsyncHost) else self._opened()

    async def _respond(self, scope: Scope, receive: Receive) -> Response:
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        elif scope["type"] == "http":
            try:
                answer = await self._respond(scope, receive)
            except _Gone:
                return
            headers = _web.with_length(scope["method"], answer)
            raw = [(name.encode("latin-1"), value.encode("utf-8", "surrogateescape")) for name, value in headers]
            await send({"type": "http.response.start", "status": answer.status, "headers": raw})
            await send({"type": "http.response.body", "body": answer.body})

    async def _live(self, receive: Receive, send: Send) -> None:
        """Opens the host before the first request and closes it after the last one, when this is the whole app."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    self._host()
                except PsaError as error:
                    await send({"type": "lifespan.startup.failed", "message": str(error)})
                    return
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self._host().close()
                await send({"type": "lifespan.shutdown.complete"})
                return


class Page(_Door):
    """The Integrations page. Mount it behind the login: its paths are those below the scope's root_path."""

    def __init__(self, host: Opened, identify: Identify, *, body_bytes_max: int = _web.BODY_BYTES_MAX) -> None:
        """identify: says who asks; see `Identify`. body_bytes_max: a longer body is answered with 413."""
        if not callable(identify):
            raise TypeError(f"identify must be a function that says who asks, not {identify!r}")
        super().__init__(host, body_bytes_max)
        self._identify = identify

    async def _respond(self, scope: Scope, receive: Receive) -> Response:
        asked = self._identify(scope)
        who = await asked if isawaitable(asked) else asked
        if isinstance(who, Response):
            return who
        body = await _body(scope, receive, self._body_bytes_max)
        if isinstance(body, Response):
            return body
        mount, path = _mount_and_path(scope)
        who, url = _web.mounted(who, mount), _web.url_of(path, scope.get("query_string", b""))
        try:
            page = self._host().page(who, scope["method"], url, _web.handed_on(scope["headers"]), body)
            if scope["method"] in ("GET", "HEAD"):
                return await _while_wanted(page, receive)
            return await asyncio.shield(asyncio.ensure_future(page))
        except ForkedError:
            raise
        except ClosedError:
            return _web.closed()


class Callbacks(_Door):
    """The callback address. It needs no login, and must not lie behind one."""

    def __init__(self, host: Opened, *, body_bytes_max: int = _web.BODY_BYTES_MAX) -> None:
        """body_bytes_max: a longer body is answered with 413; keep it at `callbacks.body_bytes_max` at least."""
        super().__init__(host, body_bytes_max)

    async def _respond(self, scope: Scope, receive: Receive) -> Response:
        body = await _body(scope, receive, self._body_bytes_max)
        if isinstance(body, Response):
            return body
        path = _mount_and_path(scope)[1]
        url = _web.url_of(path, scope.get("query_string", b""))
        try:
            callback = self._host().callback(scope["method"], url, _web.handed_on(scope["headers"]), body)
            return await asyncio.shield(asyncio.ensure_future(callback))
        except PsaError as error:
            # Not the address: its last part is the token.
            log.error("a callback could not be taken; the PSA is asked to come again: %s", error)
            return _web.come_again()


def _mount_and_path(scope: Scope) -> tuple[bytes, bytes]:
    """Where the app is mounted for browsers, and the path below that, as it was written."""
    root = str(scope.get("root_path", "")).rstrip("/")
    path = str(scope["path"])
    # Most servers begin the path with root_path; some leave out what a proxy in front has taken away, and a framework has
    # then added where it has mounted us.
    for above in (root, root.removeprefix(str(scope.get("app_root_path", "")).rstrip("/"))):
        if path == above or path.startswith(above + "/"):
            path = path[len(above) :]
            break
    whole = scope.get("raw_path")
    return root.encode(), _web.as_written(path.encode("utf-8", "surrogateescape"), None if whole is None else _web.path_of(whole))


async def _body(scope: Scope, receive: Receive, most: int) -> bytes | Response:
    """The body, or what to answer instead."""
    length = next((_web.declared_length(value) for name, value in scope["headers"] if name == b"content-length"), None)
    if length is not None and length < 0:
        return _web.broken()
    if length is not None and length > most:
        return _web.too_large()
    pieces: list[bytes] = []
    have, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        piece: bytes = message.get("body", b"")
        pieces.append(piece)
        have += len(piece)
        if have > most:
            return _web.too_large()
        more = message.get("more_body", False)
    return b"".join(pieces) if length is None or have == length else _web.broken()


async def _while_wanted(page: Coroutine[Any, Any, Response], receive: Receive) -> Response:
    """Reads for as long as somebody waits for it."""

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    reading, leaving = asyncio.ensure_future(page), asyncio.ensure_future(gone())
    try:
        await asyncio.wait((reading, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not reading.done():
            raise _Gone
        return reading.result()
    finally:
        for task in (reading, leaving):
            task.cancel()
