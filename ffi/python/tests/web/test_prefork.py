"""Servers that fork after they have loaded the product: gunicorn --preload and Celery's prefork pool, as people run them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from scene import Simulator, connect
from sites import EXAMPLES, free_port
from visitor import Visitor

import psa_host

T = TypeVar("T")
CELERY = EXAMPLES / "celery-app"


def until(found: Callable[[], T | None], process: subprocess.Popen[bytes], log: Path) -> T:
    """Waits for a state, as long as the server lives."""
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        if (value := found()) is not None:
            return value
        time.sleep(0.02)
    raise AssertionError(f"it never came to this: {log.read_text()}")


@contextmanager
def served(
    command: list[str], folder: Path, settings: dict[str, str], log: Path
) -> Generator[subprocess.Popen[bytes], None, None]:
    """A server, which is ended as its operator would; it says nothing of errors."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=folder, env={**os.environ, **settings}, stdout=out, stderr=out
        )
        try:
            yield process
            process.terminate()
            assert process.wait(30) == 0, log.read_text()
        finally:
            process.kill()
            process.wait()
    said = log.read_text()
    assert "Traceback" not in said and "ForkedError" not in said, said


@pytest.fixture
def connection(config: dict[str, Any], simulator: Simulator) -> str:
    """A connection in the data folder that the servers open."""
    with psa_host.Host(config) as host:
        return connect(host, simulator)


def settings_of(config: dict[str, Any], folder: Path) -> dict[str, str]:
    return {"PSA_CONFIG": json.dumps(config), "CELERY_FOLDER": str(folder / "celery"), "PYTHONDONTWRITEBYTECODE": "1"}


def test_each_worker_of_gunicorn_has_a_host_beside_the_one_that_was_opened_before_the_fork(
    config: dict[str, Any], connection: str, ticket: str, tmp_path: Path
) -> None:
    port, log = free_port(), tmp_path / "gunicorn.log"
    command = ["gunicorn", "--preload", "--workers", "3", "--bind", f"127.0.0.1:{port}", "site_of_workers:app"]
    visitor, workers = Visitor(f"http://127.0.0.1:{port}"), set[int]()
    with served(command, Path(__file__).parent, settings_of(config, tmp_path), log) as server:

        def all_three() -> bool | None:
            try:
                answer = visitor.get(f"/{connection}/{ticket}")
            except ConnectionRefusedError:
                return None
            assert answer.status == 200, (answer, log.read_text())
            told = json.loads(answer.body)
            # What the master had open before the fork, and what the worker reads now.
            assert (told["opened_by"], told["summary"]) == (server.pid, "Printer on fire"), told
            assert told["worker"] != server.pid
            workers.add(told["worker"])
            return True if len(workers) == 3 else None

        until(all_three, server, log)


def test_celery_posts_notes_from_the_processes_of_its_pool(
    config: dict[str, Any], connection: str, simulator: Simulator, ticket: str, tmp_path: Path
) -> None:
    with psa_host.Host(config) as host:
        link = host.links.create(tenant="t", connection=connection, product_ticket="HD-1", ticket=ticket).link
    texts = [f"Note {number} of many." for number in range(6)]
    log, settings = tmp_path / "celery.log", settings_of(config, tmp_path)
    command = ["celery", "--app", "tasks", "worker", "--pool", "prefork", "--concurrency", "3"]
    with served(command, CELERY, settings, log) as worker:
        order = subprocess.run(
            [sys.executable, "order.py", json.dumps({"link": link, "texts": texts})],
            cwd=CELERY,
            env={**os.environ, **settings},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert order.returncode == 0, (order.stderr, log.read_text())
        told = json.loads(order.stdout)
        assert [one["state"] for one in told] == ["delivered"] * len(texts), told
        # Not from the process that has loaded the tasks, and not all from one.
        processes = {one["process"] for one in told}
        assert worker.pid not in processes and len(processes) > 1, told
    assert sorted(simulator.notes(ticket)) == sorted(texts)
