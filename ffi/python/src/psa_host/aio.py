"""The host for asyncio.

Holds: `AsyncHost`.
Promises: no thread per call; a cancelled task cancels its call; usable from several event loops at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Any, TypeVar

import msgspec

from ._http import Headers, Request, Response
from ._native import CallOptions, Handle, Method, Options, raw_method
from ._queue import Pump
from .host import Host, Opened, encoded_config, encoded_who

T = TypeVar("T")


class AsyncHost(Opened):
    """An opened host whose methods are awaited. Close it, best by `async with`."""

    def __init__(self, config: Mapping[str, Any] | msgspec.Struct | Host) -> None:
        """Opens a host, which takes some milliseconds; or shares one that is open, and is then closed with it."""
        self._handle = config._handle if isinstance(config, Host) else Handle(encoded_config(config))
        self._pump = Pump(self._handle)

    async def call(
        self, method: str, params: Mapping[str, Any] | msgspec.Struct | None = None, *, options: CallOptions | None = None
    ) -> Any:
        """Calls a method by its name, with a dictionary and for one: for what has no typed form here."""
        native = Options(options, waits=False)
        return await self._call(raw_method(method), msgspec.json.encode({} if params is None else params), native)

    async def _call(self, method: Method[T], params: bytes, options: Options) -> T:
        number, future = self._pump.call(method.name, params, options, method.decoded)
        try:
            result: T = await future
        except asyncio.CancelledError:
            self._pump.cancel(number)
            raise
        return result

    async def page(
        self,
        who: Mapping[str, Any] | msgspec.Struct | None,
        method: str,
        url: str | bytes,
        headers: Headers = (),
        body: bytes = b"",
    ) -> Response:
        """Serves one request to the Integrations page; compare `Host.page`."""
        request = Request(method, url, headers, body)
        return await asyncio.to_thread(self._handle.page, encoded_who(who), request)

    async def callback(self, method: str, url: str | bytes, headers: Headers = (), body: bytes = b"") -> Response:
        """Serves one request to the callback address; compare `Host.callback`."""
        return await asyncio.to_thread(self._handle.callback, Request(method, url, headers, body))

    async def close(self, *, drain_ms: int = 0) -> None:
        """Stops the host; compare `Host.close`."""
        await asyncio.to_thread(self._handle.close, drain_ms)

    async def __aenter__(self) -> AsyncHost:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
