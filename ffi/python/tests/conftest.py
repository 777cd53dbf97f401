"""What the tests stand on: a simulated PSA in a process of its own, and hosts with a data folder of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scene import Simulator, config_in, connect

import psa_host


def target() -> Path:
    """The folder with the simulator: PSA_TARGET, as the driver of these tests sets it."""
    named = os.environ.get("PSA_TARGET")
    if not named:
        pytest.exit("PSA_TARGET must name the folder with psa-simulator: target/debug after `cargo build`", 4)
    return Path(named)


@pytest.fixture(scope="session")
def whole_simulator() -> Iterator[Simulator]:
    simulator = Simulator(target() / "psa-simulator")
    yield simulator
    simulator.end()


@pytest.fixture
def simulator(whole_simulator: Simulator) -> Iterator[Simulator]:
    """The simulator, without the faults of other tests."""
    yield whole_simulator
    whole_simulator.control("DELETE", "faults")


@pytest.fixture
def config(simulator: Simulator, tmp_path: Path) -> dict[str, Any]:
    """A configuration for a host of the test's own."""
    return config_in(tmp_path, simulator)


@pytest.fixture(scope="session")
def host(whole_simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[psa_host.Host]:
    """A host that the tests share; who closes it opens one of its own."""
    with psa_host.Host(config_in(tmp_path_factory.mktemp("shared"), whole_simulator)) as opened:
        yield opened


@pytest.fixture(scope="session")
def connection(host: psa_host.Host, whole_simulator: Simulator) -> str:
    """A connection that has passed its test, of tenant "t"."""
    return connect(host, whole_simulator)


@pytest.fixture
def ticket(simulator: Simulator) -> str:
    """A new ticket at the PSA."""
    made = simulator.control("POST", "tickets", {"summary": "Printer on fire"})
    return str(made["id"])


@pytest.fixture
def link(host: psa_host.Host, connection: str, ticket: str) -> str:
    """A link to the new ticket."""
    return host.links.create(tenant="t", connection=connection, product_ticket=f"HD-{ticket}", ticket=ticket).link
