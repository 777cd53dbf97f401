"""The host for asyncio.

Holds: `AsyncHost`.
Promises: no thread per call; a cancelled task cancels its call; usable from several event loops at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from types import TracebackType
from typing import Any, TypeVar

from ._async_methods import AsyncFacade
from ._call import CallOptions, Method, Params, Sink, Source, raw_method
from ._http import Headers, Request, Response
from ._native import Handle, Options, borrowed
from ._queue import default_options, pump_of
from .events import AsyncEvents
from .host import Host, Opened, encode, encoded_config, encoded_who
from .types import Config, Who

T = TypeVar("T")


class _Run:
    """Calls methods of a handle and awaits them."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._pump = pump_of(handle)

    def __call__(
        self,
        method: Method[T],
        params: Params,
        options: CallOptions | None,
        *,
        source: Source | None = None,
        sink: Sink | None = None,
    ) -> Awaitable[T]:
        given = borrowed(encode(params))
        if options is None and source is None and sink is None:
            return self._pump.call(self._handle, method, given, default_options)
        return self._pump.call(self._handle, method, given, Options(options, source, sink, waits=False))


class AsyncHost(Opened, AsyncFacade):
    """An opened host whose methods are awaited. Close it, best by `async with`."""

    def __init__(self, config: Config | Mapping[str, Any] | Host) -> None:
        """Opens a host, which takes some milliseconds; or shares one that is open, and is then closed with it."""
        self._handle = config._handle if isinstance(config, Host) else Handle(encoded_config(config))
        self._pump = pump_of(self._handle)
        run = _Run(self._handle)
        super().__init__(run)
        self.events = AsyncEvents(run)

    async def call(
        self,
        method: str,
        params: Params | None = None,
        *,
        options: CallOptions | None = None,
        input: Source | None = None,
        output: Sink | None = None,
    ) -> Any:
        """Calls a method by its name, with a dictionary and for one: for what has no typed form here."""
        return await self._run(raw_method(method), {} if params is None else params, options, source=input, sink=output)

    async def page(
        self,
        who: Who | Mapping[str, Any] | None,
        method: str,
        url: str | bytes,
        headers: Headers = (),
        body: bytes = b"",
    ) -> Response:
        """Serves one request to the Integrations page; compare `Host.page`."""
        return await self._pump.page(self._handle, encoded_who(who), Request(method, url, headers, body))

    async def callback(self, method: str, url: str | bytes, headers: Headers = (), body: bytes = b"") -> Response:
        """Serves one request to the callback address; compare `Host.callback`."""
        return await self._pump.callback(self._handle, Request(method, url, headers, body))

    async def close(self, *, drain_ms: int = 0) -> bool:
        """Stops the host; compare `Host.close`."""
        return await asyncio.to_thread(self._handle.close, drain_ms)

    async def __aenter__(self) -> AsyncHost:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
