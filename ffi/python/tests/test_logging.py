"""The library's lines come out of Python's logging."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest

import psa_host
from psa_host import _logs


def test_lines_come_with_level_and_logger(config: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "psa_host"):
        psa_host.Host(config).close()
    lines = [record for record in caplog.records if record.name == "psa_host.host"]
    assert [record.levelname for record in lines if "connectwise" in record.getMessage()] == ["INFO"]
    assert {record.threadName for record in lines} == {"psa-log"}


def test_the_thread_ends_with_the_host(config: dict[str, Any]) -> None:
    def threads() -> int:
        return [thread.name for thread in threading.enumerate()].count("psa-log")

    before = threads()
    with psa_host.Host(config):
        assert threads() == before + 1
    assert threads() == before


def test_dropped_lines_are_reported(caplog: pytest.LogCaptureFixture) -> None:
    _logs.forward(b'{"lines":[{"level":1,"target":"host","text":"50% full"}],"dropped":7}')
    assert [(record.name, record.levelname, record.getMessage()) for record in caplog.records] == [
        ("psa_host", "WARNING", "7 log lines were dropped: they came too fast"),
        ("psa_host.host", "ERROR", "50% full"),
    ]


def test_a_handler_may_close_the_host(config: dict[str, Any]) -> None:
    opened: list[psa_host.Host] = []
    is_open, closed = threading.Event(), threading.Event()

    class Closes(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            assert is_open.wait(30)
            opened[0].close()
            closed.set()

    handler, logger = Closes(), logging.getLogger("psa_host")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        opened.append(psa_host.Host(config))
        is_open.set()
        assert closed.wait(30)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)
