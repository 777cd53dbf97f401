"""The blocking host.

Holds: `Host`.
Promises: may be used by any number of threads at once; Ctrl-C ends a call that waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any

import msgspec

from ._http import Headers, Request, Response
from ._library import bundled_plugins
from ._native import CallOptions, Handle, Options, raw_method

_NOBODY = b""


def encoded_config(config: Mapping[str, Any] | msgspec.Struct) -> bytes:
    """The configuration as JSON; without `plugins` the ones of the package are loaded."""
    given: dict[str, Any] = msgspec.to_builtins(config)
    if not given.get("plugins"):
        given = {**given, "plugins": bundled_plugins()}
    return msgspec.json.encode(given)


def encoded_who(who: Mapping[str, Any] | msgspec.Struct | None) -> bytes:
    """Who asks, as JSON; nobody is no text at all."""
    return _NOBODY if who is None else msgspec.json.encode(who)


class Opened:
    """What the blocking host and the one for asyncio have in common."""

    _handle: Handle

    def __reduce__(self) -> Any:
        raise TypeError("an opened psa_host cannot be pickled or copied: open one where it is needed")


class Host(Opened):
    """An opened host. Close it, best by `with`."""

    def __init__(self, config: Mapping[str, Any] | msgspec.Struct) -> None:
        """Opens a host; this reads files and loads plugins, which takes some milliseconds."""
        self._handle = Handle(encoded_config(config))

    def call(
        self, method: str, params: Mapping[str, Any] | msgspec.Struct | None = None, *, options: CallOptions | None = None
    ) -> Any:
        """Calls a method by its name, with a dictionary and for one: for what has no typed form here."""
        native = Options(options, waits=True)
        return self._handle.call(raw_method(method), msgspec.json.encode({} if params is None else params), native)

    def page(
        self,
        who: Mapping[str, Any] | msgspec.Struct | None,
        method: str,
        url: str | bytes,
        headers: Headers = (),
        body: bytes = b"",
    ) -> Response:
        """Serves one request to the Integrations page.

        who: who asks, from the product's own login; None answers 403. url: the path below the mount, and the query.
        """
        return self._handle.page(encoded_who(who), Request(method, url, headers, body))

    def callback(self, method: str, url: str | bytes, headers: Headers = (), body: bytes = b"") -> Response:
        """Serves one request to the callback address. If it raises, send 429: the PSA comes again.

        url and body: byte for byte as they came.
        """
        return self._handle.callback(Request(method, url, headers, body))

    def close(self, *, drain_ms: int = 0) -> None:
        """Stops the host: running calls may finish for drain_ms, the rest is cancelled. Again does no harm.

        What was accepted is on disk and goes on when a host is opened again.
        """
        self._handle.close(drain_ms)

    def __enter__(self) -> Host:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
