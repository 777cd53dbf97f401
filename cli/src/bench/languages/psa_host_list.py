"""Lists tickets through psa_host: each line of standard input is an order; answers with seconds and how many there were."""

import json
import sys
import time

from psa_host import Host, pages
from psa_host.types import PageRequest

order = json.loads(sys.argv[1])
with Host(order["config"]) as host:
    made = host.connections.create(tenant="t", plugin="connectwise", settings=order["settings"], secrets=order["secrets"])
    for _ in sys.stdin:
        started = time.perf_counter()
        tickets = []
        size = PageRequest(limit=1000)
        for page in pages(host.tickets.search, tenant="t", connection=made.connection, page=size, ahead=True):
            tickets += page.items
        print(json.dumps({"seconds": time.perf_counter() - started, "count": len(tickets)}), flush=True)
