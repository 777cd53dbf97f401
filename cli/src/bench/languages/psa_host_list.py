"""Lists tickets through psa_host: each line of standard input is an order; answers with seconds and how many there were."""

import json
import sys
import time

from psa_host import Host
from psa_host.types import PageRequest

order = json.loads(sys.argv[1])
with Host(order["config"]) as host:
    made = host.connections.create(tenant="t", plugin="connectwise", settings=order["settings"], secrets=order["secrets"])
    for _ in sys.stdin:
        started = time.perf_counter()
        tickets, cursor = [], None
        while not tickets or cursor:
            page = host.tickets.search(
                tenant="t", connection=made.connection, page=PageRequest(limit=1000, cursor=cursor)
            )
            tickets += page.items
            cursor = page.next
        print(json.dumps({"seconds": time.perf_counter() - started, "count": len(tickets)}), flush=True)
