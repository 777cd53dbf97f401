"""Programs of their own, for what ends or forks the interpreter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

PRELUDE = """
import json, os, sys, threading, time
import psa_host
from psa_host import errors
given = json.loads(sys.argv[1])
# A host that is closed amid its work says what it could not finish.
import logging
logging.getLogger("psa_host").setLevel(logging.CRITICAL)
"""


@contextmanager
def program(source: str, **given: Any) -> Generator[subprocess.Popen[str], None, None]:
    """Runs a program, which finds what it is given in `given`. What it reads is a pipe of ours."""
    text = PRELUDE + textwrap.dedent(source)
    environment = {**os.environ, "PYTHONFAULTHANDLER": "1"}
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", text, json.dumps(given)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def told(process: subprocess.Popen[str]) -> str:
    """The next line that it prints."""
    assert process.stdout is not None
    return process.stdout.readline()


def ended(process: subprocess.Popen[str], seconds: float = 60) -> tuple[int, str, str]:
    """Its exit code and what it has still printed; killed if it does not end."""
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    hung = False
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        hung = True
        process.kill()
    # Not communicate(), which would pass over what was read together with an earlier line.
    out, err = process.stdout.read(), process.stderr.read()
    assert not hung, f"it did not end within {seconds} s: {out}\n{err}"
    return process.wait(), out, err


def ran(source: str, **given: Any) -> tuple[int, str, str]:
    """The exit code of a program and what it printed."""
    with program(source, **given) as process:
        return ended(process)
