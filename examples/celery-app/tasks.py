"""Notes from Celery's workers, each process of the pool with a host of its own.

    PSA_CONFIG='{"data_dir": …}' CELERY_FOLDER=/var/lib/helpdesk/celery celery --app tasks worker

Queue and results are folders below CELERY_FOLDER, so that no broker is needed; a product has one.
"""

import json
import os
from pathlib import Path

import psa_host
from celery import Celery
from celery.signals import worker_process_init, worker_process_shutdown

folder = Path(os.environ["CELERY_FOLDER"])
for name in ("queue", "control", "results"):
    (folder / name).mkdir(parents=True, exist_ok=True)
app = Celery("tasks", broker="filesystem://", backend=f"file://{folder}/results")
app.conf.broker_transport_options = {
    "data_folder_in": str(folder / "queue"),
    "data_folder_out": str(folder / "queue"),
    "control_folder": str(folder / "control"),
}
app.conf.worker_prefetch_multiplier = 1

# begin: per-process
host = None


# A process of the pool is a fork of the one that has loaded this module: a host is opened behind the fork.
@worker_process_init.connect
def open_host(**_):
    global host
    host = psa_host.Host(json.loads(os.environ["PSA_CONFIG"]))


@worker_process_shutdown.connect
def close_host(**_):
    host.close(drain_ms=5_000)


# client_key: a task that Celery runs twice posts once.
@app.task
def post(link, text, key):
    note = host.notes.post(tenant="t", link=link, visibility="internal", text=text, client_key=key, wait_ms=60_000)
    return {"state": note.state, "process": os.getpid()}
# end: per-process
