"""A simulated PSA in a process of its own, and what a host needs to talk to it."""

from __future__ import annotations

import http.client
import json
import subprocess
from pathlib import Path
from typing import Any

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


def config_in(folder: Path, simulator: Simulator) -> dict[str, Any]:
    """A configuration with a data folder of its own, and the plugins of the package."""
    return {
        "data_dir": str(folder / "data"),
        "vault": {"key_file": str(folder / "vault.keys")},
        "egress": {"ca_files": [simulator.ready["ca"]], "allow_private": ["127.0.0.1"]},
    }


def connect(host: psa_host.Host, simulator: Simulator, tenant: str = "t") -> str:
    """Makes a connection and tests it."""
    made = host.connections.create(
        tenant=tenant, plugin="connectwise", settings=simulator.settings, secrets=simulator.secrets
    )
    report = host.connections.test(tenant=tenant, connection=made.connection)
    assert report.passed, report
    return made.connection
