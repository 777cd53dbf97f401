"""The examples as they are served: a product in a process of its own, with a proxy in front of some."""

from __future__ import annotations

import http.client
import http.server
import json
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psa_host

EXAMPLES = Path(__file__).parents[4] / "examples"
PREFIX = "/desk"

GUNICORN = ["-m", "gunicorn", "--preload", "--threads", "8", "--bind", "127.0.0.1:{port}"]
SERVERS: dict[str, tuple[str, list[str]]] = {
    "flask-gunicorn": ("flask-app", [*GUNICORN, "app:app"]),
    "flask-werkzeug": ("flask-app", ["-m", "flask", "--app", "app", "run", "--port", "{port}"]),
    "django-gunicorn": ("django-app", [*GUNICORN, "app:application"]),
    "fastapi-uvicorn": ("fastapi-app", ["-m", "uvicorn", "--port", "{port}", "app:app"]),
    "fastapi-hypercorn": ("fastapi-app", ["-m", "hypercorn", "--bind", "127.0.0.1:{port}", "app:app"]),
}
MOUNTS = ("/", "/a/b", "proxied")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


class Proxy(http.server.BaseHTTPRequestHandler):
    """Takes PREFIX off the path and hands everything else on as it came."""

    protocol_version = "HTTP/1.1"
    behind: int

    def do_GET(self) -> None:
        length = int(self.headers.get("content-length", 0))
        body = self.rfile.read(length)
        assert self.path.startswith(PREFIX), self.path
        connection = http.client.HTTPConnection("127.0.0.1", self.behind, timeout=60)
        connection.putrequest(self.command, self.path.removeprefix(PREFIX) or "/", skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            connection.putheader(name, value)
        connection.putheader("X-Forwarded-Prefix", PREFIX)
        connection.endheaders(body)
        answer = connection.getresponse()
        content = answer.read()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        connection.close()

    do_POST = do_HEAD = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        pass


@dataclass
class Site:
    """A product that is being served."""

    origin: str
    prefix: str
    """What the proxy takes off."""
    mount: str
    """Where the page is, for browsers; "" for "/"."""
    port: int
    """Where the product itself listens."""
    host: psa_host.Host
    """A host of the test's own on the same data."""
    connection: str
    ticket: str
    simulator: Any

    @property
    def inner(self) -> str:
        """Where the page is, for who comes past the proxy."""
        return self.mount.removeprefix(self.prefix)


class Served:
    """A product with everything around it, for as long as `with` lasts."""

    def __init__(self, name: str, mount: str, simulator: Any, folder: Path) -> None:
        self._simulator, self._folder = simulator, folder
        example, self._command = SERVERS[name]
        self._cwd = EXAMPLES / example
        self._port, front = free_port(), free_port()
        proxied = mount == "proxied"
        self._prefix = PREFIX if proxied else ""
        self._inner = "/a/b" if proxied else mount.rstrip("/")
        self._origin = f"http://127.0.0.1:{front if proxied else self._port}"
        self._proxy: http.server.ThreadingHTTPServer | None = None
        if proxied:
            self._proxy = http.server.ThreadingHTTPServer(("127.0.0.1", front), type("P", (Proxy,), {"behind": self._port}))
            if name.startswith("fastapi"):
                self._command = [*self._command, "--root-path", PREFIX]
        self._config: dict[str, Any] = {
            "data_dir": str(folder / "data"),
            "vault": {"key_file": str(folder / "vault.keys")},
            "egress": {"ca_files": [simulator.ready["ca"]], "allow_private": ["127.0.0.1"]},
            "callbacks": {"address": f"{self._origin}{self._prefix}/hooks/psa", "settle_ms": 20, "tick_ms": 10},
        }

    def __enter__(self) -> Site:
        self._log = (self._folder / "server.log").open("wb")
        settings = {
            "PSA_CONFIG": json.dumps(self._config),
            "PUBLIC_ORIGIN": self._origin,
            "MOUNT": self._inner or "/",
            "SECRET_KEY": "one for all workers",
            "PYTHONDONTWRITEBYTECODE": "1",
            **({"PROXY_PREFIX": self._prefix} if self._prefix else {}),
        }
        command = [sys.executable, *(part.format(port=self._port) for part in self._command)]
        self._server = subprocess.Popen(
            command, cwd=self._cwd, env={**os.environ, **settings}, stdout=self._log, stderr=self._log
        )
        if self._proxy is not None:
            threading.Thread(target=self._proxy.serve_forever, daemon=True).start()
        self._wait_until_it_listens()
        self._host = psa_host.Host(self._config)
        made = self._host.connections.create(
            tenant="t", plugin="connectwise", settings=self._simulator.settings, secrets=self._simulator.secrets
        )
        assert self._host.connections.test(tenant="t", connection=made.connection).passed
        ticket = str(self._simulator.control("POST", "tickets", {"summary": "Printer on fire"})["id"])
        self._host.links.create(tenant="t", connection=made.connection, product_ticket="HD-7", ticket=ticket)
        mount = self._prefix + self._inner
        return Site(
            self._origin, self._prefix, mount, self._port, self._host, made.connection, ticket, self._simulator
        )

    def _wait_until_it_listens(self) -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until and self._server.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self._port)).close()
                return
            except ConnectionRefusedError:
                time.sleep(0.02)
        raise AssertionError((self._folder / "server.log").read_text())

    def __exit__(self, *_: object) -> None:
        self._host.close()
        self._server.terminate()
        self._server.wait(30)
        self._log.close()
        if self._proxy is not None:
            self._proxy.shutdown()
            self._proxy.server_close()
        said = (self._folder / "server.log").read_text()
        assert "Traceback" not in said, said
