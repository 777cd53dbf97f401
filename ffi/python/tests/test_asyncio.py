"""asyncio: no thread per call, a cancelled task cancels its call, several loops share a host."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import pytest
import uvloop
from scene import Simulator, connect

import psa_host
from psa_host import CallOptions, errors, types
from psa_host._queue import pump_of

T = TypeVar("T")
Run = Callable[[Coroutine[Any, Any, T]], T]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run[Any]:
    """Runs a coroutine in a loop of its own."""
    return asyncio.run if request.param == "asyncio" else uvloop.run


def test_a_thousand_calls_are_in_flight_without_a_thread(host: psa_host.Host, run: Run[Any]) -> None:
    async def all_at_once() -> tuple[set[tuple[str, ...]], int]:
        asynchronous = psa_host.AsyncHost(host)
        before = threading.active_count()
        calls: list[Awaitable[Any]] = [asynchronous.vault.status() for _ in range(1000)]
        answers = await asyncio.gather(*calls)
        return {tuple(answer.keys) for answer in answers}, threading.active_count() - before

    answers, threads = run(all_at_once())
    assert (len(answers), threads) == (1, 0)


def test_a_list_is_walked_to_its_end(host: psa_host.Host, connection: str, run: Run[Any]) -> None:
    async def walked() -> list[str]:
        search = psa_host.AsyncHost(host).tickets.search
        size = types.PageRequest(limit=7)
        pages = psa_host.pages_async(search, tenant="t", connection=connection, page=size, ahead=True)
        return [ticket.id async for page in pages for ticket in page.items]

    whole = host.tickets.search(tenant="t", connection=connection, page=types.PageRequest(limit=1000))
    assert run(walked()) == [ticket.id for ticket in whole.items]


# Where the answer is not remembered, the ended one would wait, which Python does not let it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_the_collector_ends_may_call_amid_another_call(
    host: psa_host.Host, connection: str, run: Run[Any]
) -> None:
    async def ask() -> set[tuple[str, str]]:
        asynchronous = psa_host.AsyncHost(host)

        async def get(ticket: str) -> str:
            return (await asynchronous.tickets.get(tenant="t", connection=connection, ticket=ticket)).id

        async def abandoned() -> None:
            future = asyncio.get_running_loop().create_future()
            try:
                await future
            finally:
                await get("1006")

        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
        answers: set[tuple[str, str]] = set()
        # cffi makes its functions when they are first asked for, behind a lock of its own.
        await get("1001")
        gc.set_threshold(40, 2, 2)
        for _ in range(1500):
            # Nobody has it any more: the collector ends it, wherever it happens to run.
            task = asyncio.get_running_loop().create_task(abandoned())
            await asyncio.sleep(0)
            del task
            for ticket in ("1001", "1002"):
                answers.add((ticket, await get(ticket)))
        return answers

    thresholds = gc.get_threshold()
    try:
        assert run(ask()) == {("1001", "1001"), ("1002", "1002")}
    finally:
        gc.set_threshold(*thresholds)


def test_what_is_remembered_is_there_without_a_turn_of_the_loop(
    host: psa_host.Host, connection: str, run: Run[Any]
) -> None:
    async def ask() -> tuple[Any, Any]:
        asynchronous = psa_host.AsyncHost(host)
        # What the host writes by itself makes it look again, so that once is not enough.
        for _ in range(100):
            read = await asynchronous.tickets.get(tenant="t", connection=connection, ticket="1006")
            again = asynchronous.tickets.get(tenant="t", connection=connection, ticket="1006")
            try:
                again.send(None)
            except StopIteration as ended:
                assert pump_of(asynchronous._handle).waiting() == 0  # pyright: ignore[reportPrivateUsage]
                return read, ended.value
            again.close()
        raise AssertionError("it waits each time")

    read, again = run(ask())
    assert read == again and read.id == "1006"


def test_errors_are_raised_where_they_are_awaited(host: psa_host.Host, connection: str, run: Run[Any]) -> None:
    async def ask() -> list[Any]:
        asynchronous = psa_host.AsyncHost(host)
        asked: list[Awaitable[Any]] = [
            asynchronous.tickets.get(tenant="t", connection=connection, ticket="999999"),
            asynchronous.call("no.such"),
            asynchronous.vault.status(),
        ]
        return await asyncio.gather(*asked, return_exceptions=True)

    missing, unknown, fine = run(ask())
    assert type(missing) is errors.NotFound
    assert type(unknown) is errors.InvalidArgument
    assert fine.keys


def test_a_cancelled_task_cancels_its_call(
    host: psa_host.Host, connection: str, simulator: Simulator, run: Run[Any]
) -> None:
    simulator.fault("get_ticket", "hang")

    async def give_up() -> None:
        asynchronous = psa_host.AsyncHost(host)
        read = asynchronous.tickets.get(tenant="t", connection=connection, ticket="1003", fresh=True)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(read, 0.3)
        # It is over in the library too: an own end would come after 30 s.
        while pump_of(asynchronous._handle).waiting():  # pyright: ignore[reportPrivateUsage]
            await asyncio.sleep(0.01)

    run(asyncio.wait_for(give_up(), 10))


def test_a_call_may_have_its_own_end(
    host: psa_host.Host, connection: str, simulator: Simulator, run: Run[Any]
) -> None:
    simulator.fault("get_ticket", "hang")

    async def wait() -> None:
        asynchronous = psa_host.AsyncHost(host)
        with pytest.raises(errors.Timeout):
            await asynchronous.tickets.get(
                tenant="t", connection=connection, ticket="1004", fresh=True, options=CallOptions(timeout_ms=200)
            )

    run(wait())


def test_loops_in_several_threads_get_their_own_answers(host: psa_host.Host, run: Run[Any]) -> None:
    asynchronous = psa_host.AsyncHost(host)
    wrong: list[str] = []

    def loop(number: int) -> None:
        async def ask() -> None:
            for _ in range(20):
                names = [f"n{number}.{n}" for n in range(20)]
                calls: list[Awaitable[Any]] = [asynchronous.call(name) for name in names]
                answers = await asyncio.gather(*calls, return_exceptions=True)
                wrong.extend(name for name, answer in zip(names, answers) if name not in str(answer))

        run(ask())

    threads = [threading.Thread(target=loop, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_loop_that_ended_with_calls_pending_disturbs_nobody(
    host: psa_host.Host, connection: str, simulator: Simulator, run: Run[Any]
) -> None:
    simulator.fault("get_ticket", "latency", ms=500)
    asynchronous = psa_host.AsyncHost(host)

    async def leave() -> None:
        read = asynchronous.tickets.get(tenant="t", connection=connection, ticket="1005", fresh=True)
        asyncio.ensure_future(read)
        await asyncio.sleep(0.05)

    async def ask() -> list[str]:
        await asyncio.sleep(0.6)
        return (await asynchronous.vault.status()).keys

    run(leave())
    assert run(ask())


def test_closing_ends_what_is_awaited(config: dict[str, Any], simulator: Simulator, run: Run[Any]) -> None:
    async def close_amid() -> None:
        opened = psa_host.Host(config)
        connection = connect(opened, simulator)
        async with psa_host.AsyncHost(opened) as asynchronous:
            simulator.fault("get_ticket", "hang")
            reads = [
                asyncio.ensure_future(
                    asynchronous.tickets.get(tenant="t", connection=connection, ticket=str(1001 + n), fresh=True)
                )
                for n in range(5)
            ]
            await asyncio.sleep(0.2)
        answers = await asyncio.gather(*reads, return_exceptions=True)
        assert {type(answer) for answer in answers} <= {errors.Cancelled, errors.ClosedError}, answers
        with pytest.raises(errors.ClosedError):
            await asynchronous.vault.status()

    run(close_amid())
