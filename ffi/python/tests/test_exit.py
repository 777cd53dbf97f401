"""The interpreter may end whenever it likes: with calls pending, from any thread, closed or not."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest
from scene import Simulator, connect
from processes import ended, program, told

import psa_host

# 50 is what was promised; each costs a second or two.
RUNS = int(os.environ.get("PSA_EXIT_RUNS", "2"))

# 2 s was promised, on a machine that does nothing else.
EXIT_SECONDS = float(os.environ.get("PSA_EXIT_SECONDS", "30"))

PENDING = """
import asyncio
host = psa_host.Host(given["config"])
asynchronous = psa_host.AsyncHost(host)
def read(n):
    return asynchronous.tickets.get(
        tenant="t", connection=given["connection"], ticket=str(1001 + n % 50), fresh=True
    )
submitted = threading.Event()
reads = []
async def submit():
    # A loop that is thrown away with tasks in it says so; that is asyncio's to tell.
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    reads.extend(asyncio.ensure_future(read(n)) for n in range(1000))
    await asyncio.sleep(0.2)
    print("pending", sum(not read.done() for read in reads), flush=True)
    submitted.set()
    LEAVE
"""

WAYS = {
    "under asyncio, not closed": ("sys.exit()", "asyncio.run(submit())"),
    "under asyncio, closed": (
        "await asynchronous.close(); await asyncio.gather(*reads, return_exceptions=True)",
        "asyncio.run(submit())",
    ),
    "after the loop": ("return", "asyncio.run(submit())"),
    "with a loop that is never closed": (
        "return",
        "loop = asyncio.new_event_loop(); loop.run_until_complete(submit())",
    ),
    "from another thread": (
        "await asyncio.sleep(600)",
        "threading.Thread(target=asyncio.run, args=(submit(),), daemon=True).start(); submitted.wait()",
    ),
    "with threads in blocking calls": (
        "return",
        """
for n in range(8):
    threading.Thread(
        target=lambda n: host.events.next(consumer=f"desk-{n}", timeout_ms=600_000), args=(n,), daemon=True
    ).start()
asyncio.run(submit())
""",
    ),
}


@pytest.fixture
def prepared(config: dict[str, Any], simulator: Simulator) -> dict[str, Any]:
    """A data folder with a connection whose reads hang."""
    with psa_host.Host(config) as host:
        connection = connect(host, simulator)
    simulator.fault("get_ticket", "hang")
    return {"config": config, "connection": connection}


@pytest.mark.parametrize("way", WAYS)
def test_an_exit_with_a_thousand_calls_pending_is_clean(prepared: dict[str, Any], way: str) -> None:
    leave, run = WAYS[way]
    for _ in range(RUNS):
        with program(PENDING.replace("LEAVE", leave) + run, **prepared) as process:
            assert told(process) == "pending 1000\n"
            began = time.monotonic()
            assert ended(process) == (0, "", "")
            took = time.monotonic() - began
        assert took < EXIT_SECONDS, f"it took {took:.1f} s to end"
