"""Events: what the product is told.

Holds: the blocking and the awaited form; both are callable, `for event in host.events("desk")`.
Promises: an event is acknowledged when the next one is asked for, so that what was being handled when a process died
comes again. Handle it so that twice does no harm.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec

from . import types
from ._call import AsyncRun, CallOptions, Method, Run
from .errors import ClosedError, ForkedError

_WAIT_MS = 20_000
_WAITING = CallOptions(timeout_ms=_WAIT_MS + 10_000)


class _Patience:
    """How long is still to be waited for an event, in parts of 20 s."""

    def __init__(self, idle_ms: int | None) -> None:
        self._until = None if idle_ms is None else time.monotonic() + idle_ms / 1000

    def next_ms(self) -> int:
        """How long to wait next, in milliseconds."""
        if self._until is None:
            return _WAIT_MS
        return min(_WAIT_MS, max(0, round((self._until - time.monotonic()) * 1000)))

    def is_over(self) -> bool:
        """Whether nothing more is to be waited for."""
        return self._until is not None and time.monotonic() >= self._until


class Event:
    """Something the product is told."""

    __slots__ = ("data", "id", "kind")

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        """All of it: `event`, `id`, `at`, `tenant`, and what it is about: `connection`, `link`, `operation`, …"""
        self.id: int = data["id"]
        """For `ack`."""
        self.kind: str = data["event"]
        """What kind: "operation.delivered"; "gap": events were dropped because nobody had fetched them for long."""

    @property
    def tenant(self) -> str | None:
        """Whose; None in a gap."""
        return self.data.get("tenant")

    @property
    def at(self) -> str | None:
        """When it happened, RFC 3339 UTC; None in a gap."""
        return self.data.get("at")

    def __repr__(self) -> str:
        return f"Event({self.kind!r}, id={self.id}, tenant={self.tenant!r})"


class _Answer(msgspec.Struct):
    event: dict[str, Any] | None = None


_NEXT: Method[_Answer] = Method("events.next", _Answer)
_ACK: Method[types.Done] = Method("events.ack", types.Done)


class Events:
    """events.*"""

    def __init__(self, run: Run) -> None:
        self._run = run

    def __call__(self, consumer: str, *, idle_ms: int | None = None) -> Iterator[Event]:
        """Events of a consumer as they come; each is acknowledged when the next one is asked for.

        It ends when the host is closed, or when nothing has come for idle_ms.

        consumer: a name of 1 to 64 bytes. Several processes may share one; one at a time is served.
        """
        try:
            while (event := self._next(consumer, idle_ms)) is not None:
                yield event
                self.ack(consumer=consumer, id=event.id)
        except ClosedError as closed:
            _refuse_fork(closed)

    def _next(self, consumer: str, idle_ms: int | None) -> Event | None:
        patience = _Patience(idle_ms)
        while True:
            event = self.next(consumer=consumer, timeout_ms=patience.next_ms(), options=_WAITING)
            if event is not None or patience.is_over():
                return event

    def next(self, *, consumer: str, timeout_ms: int = 0, options: CallOptions | None = None) -> Event | None:
        """The next event that is not acknowledged; it comes again, also after a restart, until it is.

        timeout_ms: How long to wait for one, in milliseconds; also longer than call_timeout_ms, unless options give the
        call less time. None: none came in time.
        """
        params = types.EventsNextParams(consumer=consumer, timeout_ms=timeout_ms)
        return _event(self._run(_NEXT, params, options))

    def ack(self, *, consumer: str, id: int, options: CallOptions | None = None) -> None:
        """Acknowledges an event and all before it. Again does no harm."""
        self._run(_ACK, types.EventsAckParams(consumer=consumer, id=id), options)


class AsyncEvents:
    """events.*"""

    def __init__(self, run: AsyncRun) -> None:
        self._run = run

    async def __call__(self, consumer: str, *, idle_ms: int | None = None) -> AsyncIterator[Event]:
        """Events of a consumer as they come; compare `Events.__call__`."""
        try:
            while (event := await self._next(consumer, idle_ms)) is not None:
                yield event
                await self.ack(consumer=consumer, id=event.id)
        except ClosedError as closed:
            _refuse_fork(closed)

    async def _next(self, consumer: str, idle_ms: int | None) -> Event | None:
        patience = _Patience(idle_ms)
        while True:
            event = await self.next(consumer=consumer, timeout_ms=patience.next_ms(), options=_WAITING)
            if event is not None or patience.is_over():
                return event

    async def next(self, *, consumer: str, timeout_ms: int = 0, options: CallOptions | None = None) -> Event | None:
        """The next event that is not acknowledged; compare `Events.next`."""
        params = types.EventsNextParams(consumer=consumer, timeout_ms=timeout_ms)
        return _event(await self._run(_NEXT, params, options))

    async def ack(self, *, consumer: str, id: int, options: CallOptions | None = None) -> None:
        """Acknowledges an event and all before it. Again does no harm."""
        await self._run(_ACK, types.EventsAckParams(consumer=consumer, id=id), options)


def _event(answer: _Answer) -> Event | None:
    return None if answer.event is None else Event(answer.event)


def _refuse_fork(closed: ClosedError) -> None:
    """A closed host has no more events; a host of another process is a mistake to be seen."""
    if isinstance(closed, ForkedError):
        raise closed
