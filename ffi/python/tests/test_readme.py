"""The README's program does what it says."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from scene import Simulator


def blocks() -> list[str]:
    """The pieces of Python in the README."""
    text = (Path(__file__).parents[1] / "README.md").read_text()
    return [piece.split("```")[0] for piece in text.split("```python\n")[1:]]


def exchanged(text: str, *pairs: tuple[str, str]) -> str:
    """The text with other values; each old one must be there."""
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


def test_the_six_calls_run_as_printed(
    simulator: Simulator, ticket: str, config: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    settings = '{"site": "na", "company_id": "acme", "client_id": "…", "public_key": "…"}'
    program = exchanged(
        blocks()[0],
        ('"/var/lib/helpdesk/psa"', repr(config["data_dir"])),
        ('{"key_file": "/etc/helpdesk/psa-vault.keys"}', repr(config["vault"])),
        ('"callbacks": {"address": "https://desk.example/hooks/psa"}', f'"egress": {config["egress"]!r}'),
        (settings, repr(simulator.settings)),
        ('{"private_key": "…"}', repr(simulator.secrets)),
        ('ticket="1001"', f"ticket={ticket!r}"),
        ("wait_ms=10_000", "wait_ms=60_000"),
        ('events("desk")', 'events("desk", idle_ms=0)'),
    )
    names: dict[str, Any] = {}
    exec(compile(program, "README.md", "exec"), names)
    printed = capsys.readouterr().out
    assert printed.startswith("delivered\n")
    assert "operation.delivered" in printed
    assert simulator.notes(ticket) == ["Checked the fuser."]
    # The host is closed by now, and the PSA is told to come again.
    assert names["psa_hook"]("POST", "/x", [], b"{}") == 429


def test_every_other_piece_is_python() -> None:
    for block in blocks():
        compile(block, "README.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
