"""Ctrl-C ends a call that waits, and loses nothing that was accepted."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import pytest
from scene import Simulator
from processes import ended, program, ran, told

# How much later than the signal it may be seen: 0.1 was promised, on a machine that does nothing else. The calls would
# go on for longer than this.
SEEN_SECONDS = float(os.environ.get("PSA_SEEN_SECONDS", "2"))

CALL = """
with psa_host.Host(given["config"]) as host:
    made = host.connections.create(
        tenant="t", plugin="connectwise", settings=given["settings"], secrets=given["secrets"]
    )
    host.connections.test(tenant="t", connection=made.connection)
    link = host.links.create(
        tenant="t", connection=made.connection, product_ticket="HD-1", ticket=given["ticket"]
    ).link
    print("ready")
    sys.stdin.readline()
    try:
        print("it returned", CALLED)
    except KeyboardInterrupt:
        print(time.monotonic())
    if given["waits_for"]:
        print(next(event.kind for event in host.events("after") if event.kind == given["waits_for"]))
"""

READ = 'host.tickets.get(tenant="t", connection=made.connection, ticket=given["ticket"], fresh=True)'
POST = 'host.notes.post(tenant="t", link=link, visibility="internal", text="Kept.", wait_ms=30_000)'
EVENT = 'list(host.events("desk"))'


@pytest.mark.parametrize(
    ("called", "fault", "waits_for"),
    [(READ, "get_ticket", None), (POST, "add_note", "operation.delivered"), (EVENT, None, None)],
)
def test_a_signal_ends_a_call_and_loses_nothing(
    config: dict[str, Any], simulator: Simulator, ticket: str, called: str, fault: str | None, waits_for: str | None
) -> None:
    with program(
        CALL.replace("CALLED", called),
        config=config,
        settings=simulator.settings,
        secrets=simulator.secrets,
        ticket=ticket,
        waits_for=waits_for,
    ) as process:
        assert told(process) == "ready\n"
        if fault is not None:
            simulator.fault(fault, "latency", ms=4_000)
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
        time.sleep(1.5)
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        # Both processes have the machine's clock.
        late = float(told(process)) - sent
        assert late < SEEN_SECONDS, f"it was seen {late:.3f} s later"
        assert ended(process) == (0, f"{waits_for}\n" if waits_for else "", "")
    if called == POST:
        assert simulator.notes(ticket) == ["Kept."]


def test_a_handler_that_raises_something_else_is_heard_too(config: dict[str, Any]) -> None:
    source = """
    import signal
    def give_up(*_):
        raise OSError("the user has gone")
    signal.signal(signal.SIGALRM, give_up)
    with psa_host.Host(given["config"]) as host:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        try:
            host.events.next(consumer="desk", timeout_ms=20_000)
        except OSError as error:
            print(error)
        # The next call has nothing to do with it.
        print(len(host.vault.status().keys))
    """
    assert ran(source, config=config) == (0, "the user has gone\n1\n", "")
