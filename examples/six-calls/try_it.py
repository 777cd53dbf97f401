"""Runs one of the six-calls programs against a simulated ConnectWise.

Usage: python3 try_it.py TARGET PROGRAM...
  TARGET   where cargo has put what it built: target/release or target/debug
  PROGRAM  what to run; CONFIG, CONNECTION and PORT are added

Somebody at the PSA writes a note as soon as the program has posted its own.
"""

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def ask(psa, method, door, body=None):
    """Asks the simulator's control door."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{psa['control']}/_sim/{door}", method=method, data=data)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def write_a_note(psa, address):
    """As a person at the PSA, once the host has registered its callbacks there."""
    while sum(str(entry["url"]).startswith(address) for entry in ask(psa, "GET", "callbacks")["items"]) < 2:
        time.sleep(0.05)
    ask(psa, "POST", "tickets/1001", {"note": {"text": "The printer burns again.", "internal": True}})


def main(target, program):
    command = [target / "psa-simulator", "connectwise", "--tls", "--until-stdin-closes"]
    simulator = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    psa = json.loads(simulator.stdout.readline())
    with tempfile.TemporaryDirectory() as folder:
        plugin, port = Path(folder, "psa_connectwise.so"), free_port()
        shutil.copyfile(target / "libpsa_connectwise.so", plugin)
        plugin.chmod(0o755)  # no plugin is loaded that others can write
        address = f"http://127.0.0.1:{port}/hooks/psa"
        config = {
            "data_dir": f"{folder}/data",
            "plugins": [str(plugin)],
            "vault": {"key_file": f"{folder}/vault.keys"},
            "egress": {"ca_files": [psa["ca"]], "allow_private": ["127.0.0.1"]},
            "callbacks": {"address": address},
        }
        settings = {"site": "custom", "host": psa["url"], "company_id": psa["company"]}
        settings |= {name: psa[name] for name in ("client_id", "public_key")}
        secrets = {"private_key": psa["private_key"]}
        create = {"tenant": "t", "plugin": "connectwise", "settings": settings, "secrets": secrets}
        arguments = [json.dumps(config), json.dumps(create), str(port)]
        running = subprocess.Popen([*program, *arguments], stdout=subprocess.PIPE, text=True)
        for line in running.stdout:
            print(line, end="", flush=True)
            if line == "note delivered\n":
                write_a_note(psa, address)
        code = running.wait()
    simulator.stdin.close()
    simulator.wait()
    return code


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
