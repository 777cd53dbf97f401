"""The same by pyconnectwise, as its documentation lists tickets."""

import json
import sys
import time

from pyconnectwise import ConnectWiseManageAPIClient

psa = json.loads(sys.argv[1])["psa"]
client = ConnectWiseManageAPIClient(
    psa["company"], psa["url"].removeprefix("https://"), psa["client_id"], psa["public_key"], psa["private_key"]
)
for _ in sys.stdin:
    started = time.perf_counter()
    tickets = list(client.service.tickets.paginated(1, 1000).all())
    print(json.dumps({"seconds": time.perf_counter() - started, "count": len(tickets)}), flush=True)
