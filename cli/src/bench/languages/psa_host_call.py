"""Calls from Python: each line of standard input is an order; answers with seconds for `calls` calls."""

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


async def together(under_way: int) -> float:
    async with AsyncHost(order["config"]) as host:
        await host.tickets.get(**ticket)
        started = time.perf_counter()
        for _ in range(calls // under_way):
            await asyncio.gather(*(host.tickets.get(**ticket) for _ in range(under_way)))
        return time.perf_counter() - started


for line in sys.stdin:
    under_way = int(line)
    seconds = asyncio.run(together(under_way)) if under_way > 1 else one_by_one()
    print(json.dumps({"seconds": seconds, "count": calls}), flush=True)
