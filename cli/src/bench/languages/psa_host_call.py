"""Calls from Python: each line of standard input is an order, how many are under way and what is asked for: `known`, a
ticket that the host remembers, or `waiting`, what its threads have to look for. Answers with seconds for `calls` calls.
"""

import asyncio
import json
import sys
import time

from psa_host import AsyncHost, Host

order = json.loads(sys.argv[1])
calls = order["calls"]
ticket = {"tenant": "t", "connection": order["connection"], "ticket": "1001"}


def one_by_one() -> float:
    with Host(order["config"]) as host:
        host.tickets.get(**ticket)
        started = time.perf_counter()
        for _ in range(calls):
            host.tickets.get(**ticket)
        return time.perf_counter() - started


async def together(under_way: int, what: str) -> float:
    async with AsyncHost(order["config"]) as host:

        def ask():
            return host.tickets.get(**ticket) if what == "known" else host.links.list(tenant="t")

        await ask()
        started = time.perf_counter()
        for _ in range(calls // under_way):
            await asyncio.gather(*(ask() for _ in range(under_way)))
        return time.perf_counter() - started


for line in sys.stdin:
    under_way, what = line.split()
    seconds = one_by_one() if under_way == "1" else asyncio.run(together(int(under_way), what))
    print(json.dumps({"seconds": seconds, "count": calls}), flush=True)
