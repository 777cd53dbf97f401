"""The blocking host.

Holds: `Host`.
Promises: may be used by any number of threads at once; Ctrl-C ends a call that waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, TypeVar

import msgspec

from ._call import CallOptions, Method, Params, Sink, Source, raw_method
from ._http import Headers, Request, Response
from ._library import bundled_plugins
from ._methods import Facade
from ._native import Handle, Options, borrowed, default_options
from .events import Events
from .types import Config, Who

T = TypeVar("T")

encode = msgspec.json.Encoder().encode


def encoded_config(config: Config | Mapping[str, Any]) -> bytes:
    """The configuration as JSON; without `plugins` the ones of the package are loaded."""
    given: dict[str, Any] = msgspec.to_builtins(config)
    if not given.get("plugins"):
        given = {**given, "plugins": bundled_plugins()}
    return encode(given)


def encoded_who(who: Who | Mapping[str, Any] | None) -> bytes:
    """Who asks, as JSON; nobody is no text at all."""
    return b"" if who is None else encode(who)


class Opened:
    """What the blocking host and the one for asyncio have in common."""

    _handle: Handle

    def __reduce__(self) -> Any:
        raise TypeError("an opened psa_host cannot be pickled or copied: open one where it is needed")


class _Run:
    """Calls methods of a handle and waits."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def __call__(
        self,
        method: Method[T],
        params: Params,
        options: CallOptions | None,
        *,
        source: Source | None = None,
        sink: Sink | None = None,
    ) -> T:
        given = borrowed(encode(params))
        if options is None and source is None and sink is None:
            return self._handle.call(method, given, default_options)
        return self._handle.call(method, given, Options(options, source, sink, waits=True))


class Host(Opened, Facade):
    """An opened host. Close it, best by `with`.

    Each method of the library is a function here: `host.notes.post(tenant=…, link=…, visibility="internal", text=…)`.
    """

    def __init__(self, config: Config | Mapping[str, Any]) -> None:
        """Opens a host; this reads files and loads plugins, which takes some milliseconds."""
        self._handle = Handle(encoded_config(config))
        run = _Run(self._handle)
        super().__init__(run)
        self.events = Events(run)

    def call(
        self,
        method: str,
        params: Params | None = None,
        *,
        options: CallOptions | None = None,
        input: Source | None = None,
        output: Sink | None = None,
    ) -> Any:
        """Calls a method by its name, with a dictionary and for one: for what has no typed form here."""
        return self._run(raw_method(method), {} if params is None else params, options, source=input, sink=output)

    def page(
        self,
        who: Who | Mapping[str, Any] | None,
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

    def close(self, *, drain_ms: int = 0) -> bool:
        """Stops the host: running calls may finish for drain_ms, the rest is cancelled. Again does no harm.

        What was accepted is on disk and goes on when a host is opened again. False: a plugin hung and was left behind;
        the log says which.
        """
        return self._handle.close(drain_ms)

    def __enter__(self) -> Host:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
