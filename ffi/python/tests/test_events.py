"""Events come until they are acknowledged, which the loop does."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

import psa_host
from psa_host import errors


def test_each_event_is_acknowledged_when_the_next_one_is_asked_for(host: psa_host.Host, link: str) -> None:
    first: list[int] = []
    for event in host.events("desk", idle_ms=0):
        first.append(event.id)
        if len(first) == 2:
            break
    # The second was being handled when the loop was left: it comes again, the first does not.
    again = [event for event in host.events("desk", idle_ms=0)]
    assert again[0].id == first[1]
    assert [event.kind for event in again][-1] == "link.created"
    assert again[-1].data["link"] == link
    assert again[-1].tenant == "t"
    assert list(host.events("desk", idle_ms=0)) == []


def test_an_event_whose_handling_failed_comes_again(host: psa_host.Host, connection: str) -> None:
    with pytest.raises(ZeroDivisionError):
        for event in host.events("desk"):
            assert event.id / 0
    event = host.events.next(consumer="desk")
    assert event is not None
    assert event.kind == "connection.created"
    host.events.ack(consumer="desk", id=event.id)
    host.events.ack(consumer="desk", id=event.id)
    later = host.events.next(consumer="desk")
    assert later is None or later.id > event.id


def test_events_come_as_they_happen(host: psa_host.Host, link: str) -> None:
    for _ in host.events("desk", idle_ms=0):
        pass
    seen: list[str] = []

    def listen() -> None:
        seen.extend(event.kind for event in host.events("desk"))

    listener = threading.Thread(target=listen)
    listener.start()
    host.notes.post(tenant="t", link=link, visibility="internal", text="x", wait_ms=60_000)
    while "note.delivered" not in seen:
        pass
    host.close()
    listener.join(10)
    assert not listener.is_alive(), "a closed host has no more events"


def test_an_event_can_be_awaited(config: dict[str, Any], host: psa_host.Host, connection: str) -> None:
    async def kinds() -> list[str]:
        asynchronous = psa_host.AsyncHost(host)
        return [event.kind async for event in asynchronous.events("desk", idle_ms=0)]

    assert "connection.created" in asyncio.run(kinds())
    assert asyncio.run(kinds()) == []


def test_a_cancelled_listener_loses_no_event(host: psa_host.Host, link: str) -> None:
    async def listen() -> str:
        asynchronous = psa_host.AsyncHost(host)
        async for _ in asynchronous.events("desk", idle_ms=0):
            pass
        waiting = asyncio.ensure_future(asynchronous.events.next(consumer="desk", timeout_ms=20_000))
        await asyncio.sleep(0.1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await asynchronous.notes.post(tenant="t", link=link, visibility="internal", text="x", wait_ms=60_000)
        async for event in asynchronous.events("desk"):
            return event.kind
        return "none"

    assert asyncio.run(listen()) == "note.accepted"


def test_a_name_that_is_none_is_refused(host: psa_host.Host) -> None:
    with pytest.raises(errors.InvalidArgument):
        host.events.next(consumer="")
