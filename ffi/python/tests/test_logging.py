"""The library's lines come out of Python's logging."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest
from conftest import Simulator, connect

import psa_host


def test_lines_come_with_level_and_logger(
    config: dict[str, Any], simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "psa_host"), psa_host.Host(config) as host:
        connect(host, simulator)
    lines = [record for record in caplog.records if record.name.startswith("psa_host.")]
    assert lines
    assert {record.threadName for record in lines} == {"psa-log"}
    assert not any(secret in record.getMessage() for record in lines for secret in simulator.secrets.values())


def test_the_thread_ends_with_the_host(config: dict[str, Any]) -> None:
    def threads() -> list[str]:
        return [thread.name for thread in threading.enumerate() if thread.name == "psa-log"]

    assert threads() == []
    with psa_host.Host(config):
        assert threads() == ["psa-log"]
    assert threads() == []


def test_a_handler_that_closes_the_host_does_not_hang(config: dict[str, Any], simulator: Simulator) -> None:
    host = psa_host.Host(config)
    closed = threading.Event()

    class Closes(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            host.close()
            closed.set()

    handler = Closes()
    logger = logging.getLogger("psa_host")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        try:
            connect(host, simulator)
        except psa_host.errors.ClosedError:
            pass
        assert closed.wait(20)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)
        host.close()
