"""Hands notes to the workers, as the product's site would, and prints what has become of each.

    CELERY_FOLDER=/var/lib/helpdesk/celery python order.py '{"link": "…", "texts": ["…"]}'
"""

import json
import sys

from tasks import post

given = json.loads(sys.argv[1])
orders = [post.delay(given["link"], text, f"note {number}") for number, text in enumerate(given["texts"])]
print(json.dumps([order.get(timeout=100) for order in orders]))
