"""What the tests stand on: a simulated PSA in a process of its own, and hosts with a data folder of their own."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import psa_host

SECRET = "private_key"


class Simulator:
    """A running psa-simulator and its control door."""

    def __init__(self, program: Path) -> None:
        self.process = subprocess.Popen(
            [program, "connectwise", "--tls", "--until-stdin-closes"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self.process.stdout is not None
        self.ready: dict[str, Any] = json.loads(self.process.stdout.readline())

    def end(self) -> None:
        """It ends when its input does."""
        self.process.communicate()

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of a connection to it."""
        told = {name: self.ready[name] for name in ("company", "client_id", "public_key")}
        told["company_id"] = told.pop("company")
        return {"site": "custom", "host": self.ready["url"], **told}

    @property
    def secrets(self) -> dict[str, str]:
        """The secrets of a connection to it."""
        return {SECRET: self.ready[SECRET]}

    def control(self, method: str, door: str, body: object = None) -> Any:
        """Asks its control door."""
        door_of = http.client.HTTPConnection(self.ready["control"].removeprefix("http://"), timeout=60)
        try:
            door_of.request(method, f"/_sim/{door}", None if body is None else json.dumps(body))
            answer = door_of.getresponse()
            text = answer.read()
            assert answer.status < 300, (door, text)
            return json.loads(text)
        finally:
            door_of.close()

    def fault(self, endpoint: str, fault: str, **more: object) -> None:
        """Orders a fault."""
        self.control("POST", "faults", {"endpoint": endpoint, "fault": fault, **more})

    def notes(self, ticket: str) -> list[str]:
        """The texts of a ticket's notes."""
        return [note["text"] for note in self.control("GET", f"tickets/{ticket}")["notes"]]


def target() -> Path:
    """The folder with the simulator: PSA_TARGET, as the driver of these tests sets it."""
    named = os.environ.get("PSA_TARGET")
    if not named:
        pytest.exit("PSA_TARGET must name the folder with psa-simulator: target/debug after `cargo build`", 4)
    return Path(named)


def config_in(folder: Path, simulator: Simulator) -> dict[str, Any]:
    """A configuration with a data folder of its own, and the plugins of the package."""
    return {
        "data_dir": str(folder / "data"),
        "vault": {"key_file": str(folder / "vault.keys")},
        "egress": {"ca_files": [simulator.ready["ca"]], "allow_private": ["127.0.0.1"]},
    }


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


def connect(host: psa_host.Host, simulator: Simulator, tenant: str = "t") -> str:
    """Makes a connection and tests it."""
    made = host.connections.create(
        tenant=tenant, plugin="connectwise", settings=simulator.settings, secrets=simulator.secrets
    )
    report = host.connections.test(tenant=tenant, connection=made.connection)
    assert report.passed, report
    return made.connection


@pytest.fixture
def ticket(simulator: Simulator) -> str:
    """A new ticket at the PSA."""
    made = simulator.control("POST", "tickets", {"summary": "Printer on fire"})
    return str(made["id"])


@pytest.fixture
def link(host: psa_host.Host, connection: str, ticket: str) -> str:
    """A link to the new ticket."""
    return host.links.create(tenant="t", connection=connection, product_ticket=f"HD-{ticket}", ticket=ticket).link
