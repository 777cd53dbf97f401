"""The script through Python: run.py blocking|asyncio CONFIG SCRIPT prints each answer's code."""

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from psa_host import AsyncHost, Host, PsaError

saved: dict[str, str] = {}


def filled(text: str) -> Any:
    """Parameters with what was saved where @name@ stands."""
    for name, value in saved.items():
        text = text.replace(f"@{name}@", value)
    return json.loads(text)


def steps(script: str) -> Iterator[list[str]]:
    for line in Path(script).read_text().splitlines():
        yield line.split("\t")


def told(method: str, code: str, name: str, answer: Any) -> None:
    print(f"{method}\t{code}")
    if name and name in answer:
        saved[name] = answer[name]


def blocking(config: Any, script: str) -> None:
    with Host(config) as host:
        for method, params, name in steps(script):
            try:
                told(method, "ok", name, host.call(method, filled(params)))
            except PsaError as error:
                told(method, error.code, name, {})


async def in_a_loop(config: Any, script: str) -> None:
    async with AsyncHost(config) as host:
        for method, params, name in steps(script):
            try:
                told(method, "ok", name, await host.call(method, filled(params)))
            except PsaError as error:
                told(method, error.code, name, {})


way, config, script = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
if way == "asyncio":
    asyncio.run(in_a_loop(config, script))
else:
    blocking(config, script)
