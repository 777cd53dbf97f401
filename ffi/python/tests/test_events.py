"""Events come until they are acknowledged, which the loop does."""

from __future__ import annotations

import asyncio
import itertools
import threading
from typing import Any

import pytest
from scene import Simulator, connect

import psa_host
from psa_host import errors

_NUMBERS = itertools.count()


@pytest.fixture
def consumer(host: psa_host.Host) -> str:
    """A name that nobody has used, and that has been told everything so far."""
    name = f"desk-{next(_NUMBERS)}"
    for _ in host.events(name, idle_ms=0):
        pass
    return name


def test_each_event_is_acknowledged_when_the_next_one_is_asked_for(
    host: psa_host.Host, consumer: str, link: str, simulator: Simulator
) -> None:
    connect(host, simulator, tenant="u")  # After the link, two more.
    first: list[int] = []
    for event in host.events(consumer, idle_ms=0):
        first.append(event.id)
        if len(first) == 2:
            break
    # The second was being handled when the loop was left: it comes again, the first does not.
    again = list(host.events(consumer, idle_ms=0))
    assert [event.kind for event in again] == ["connection.created", "connection.active"]
    assert (again[0].id, again[0].tenant) == (first[1], "u")
    assert list(host.events(consumer, idle_ms=0)) == []


def test_an_event_tells_what_it_is_about(host: psa_host.Host, consumer: str, link: str, ticket: str) -> None:
    [event] = host.events(consumer, idle_ms=0)
    assert (event.kind, event.data["link"], event.data["ticket"]) == ("link.created", link, ticket)
    assert event.at is not None and event.at.endswith("Z")


def test_an_event_whose_handling_failed_comes_again(host: psa_host.Host, consumer: str, link: str) -> None:
    with pytest.raises(ZeroDivisionError):
        for event in host.events(consumer):
            assert event.id / 0
    again = host.events.next(consumer=consumer)
    assert again is not None and again.kind == "link.created"
    host.events.ack(consumer=consumer, id=again.id)
    host.events.ack(consumer=consumer, id=again.id)
    assert host.events.next(consumer=consumer) is None


def test_events_come_as_they_happen_until_the_host_is_closed(config: dict[str, Any], simulator: Simulator) -> None:
    host, told = psa_host.Host(config), threading.Event()

    def listen() -> None:
        for event in host.events("desk"):
            if event.kind == "connection.active":
                told.set()

    listener = threading.Thread(target=listen)
    listener.start()
    connect(host, simulator)
    assert told.wait(30)
    host.close()
    listener.join(30)
    assert not listener.is_alive(), "a closed host has no more events"


def test_events_can_be_awaited(host: psa_host.Host, consumer: str, link: str) -> None:
    async def kinds() -> list[str]:
        asynchronous = psa_host.AsyncHost(host)
        return [event.kind async for event in asynchronous.events(consumer, idle_ms=0)]

    assert asyncio.run(kinds()) == ["link.created"]
    assert asyncio.run(kinds()) == []


def test_a_cancelled_listener_loses_no_event(host: psa_host.Host, consumer: str, link: str) -> None:
    async def listen() -> str:
        asynchronous = psa_host.AsyncHost(host)
        async for _ in asynchronous.events(consumer, idle_ms=0):
            pass
        waiting = asyncio.ensure_future(asynchronous.events.next(consumer=consumer, timeout_ms=20_000))
        await asyncio.sleep(0.1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await asynchronous.notes.post(tenant="t", link=link, visibility="internal", text="x", wait_ms=60_000)
        async for event in asynchronous.events(consumer):
            return event.kind
        return "none"

    assert asyncio.run(listen()) == "operation.delivered"


def test_a_name_that_is_none_is_refused(host: psa_host.Host) -> None:
    with pytest.raises(errors.InvalidArgument):
        host.events.next(consumer="")
