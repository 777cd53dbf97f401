"""A site whose host is in use before gunicorn forks: `gunicorn --preload site_of_workers:app`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from psa_host.wsgi import PerProcess

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

host = PerProcess(lambda: json.loads(os.environ["PSA_CONFIG"]))
# In the master: its threads and locks are not there in the workers.
host().connections.list(tenant="t")
opened_by = os.getpid()


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    _, connection, ticket = environ["PATH_INFO"].split("/")
    summary = host().tickets.get(tenant="t", connection=connection, ticket=ticket).summary
    body = json.dumps({"opened_by": opened_by, "worker": os.getpid(), "summary": summary}).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
