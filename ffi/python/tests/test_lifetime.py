"""A host is opened and closed where it is seen, and says so where it is not."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import subprocess
import sys
import warnings
from typing import Any

import pytest
from processes import ended, program, ran

import psa_host
from psa_host import errors


def test_a_closed_host_refuses_and_may_be_closed_again(config: dict[str, Any]) -> None:
    with psa_host.Host(config) as host:
        assert host.plugins.list().items
    with pytest.raises(errors.ClosedError):
        host.plugins.list()
    with pytest.raises(errors.ClosedError):
        host.page(None, "GET", "/")
    host.close()


def test_a_forgotten_host_is_closed_with_a_warning(config: dict[str, Any]) -> None:
    # In a process of its own, whose descriptors are no other host's.
    source = """
    import gc, warnings
    def descriptors():
        return len(os.listdir("/proc/self/fd"))
    psa_host.Host(given["config"]).close()
    gc.collect()
    before = descriptors()
    host = psa_host.Host(given["config"])
    assert descriptors() > before
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        del host
        gc.collect()
    print(*(warning.category.__name__ for warning in told), *(str(warning.message) for warning in told))
    while descriptors() != before:  # Its last thread frees it.
        time.sleep(0.01)
    """
    said = "ResourceWarning a psa_host was not closed; use it in a `with`, or call close()\n"
    assert ran(source, config=config) == (0, said, "")


def test_a_closed_host_is_forgotten_in_silence(config: dict[str, Any]) -> None:
    host = psa_host.Host(config)
    host.close()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del host
        gc.collect()


def test_what_the_collector_ends_may_call_at_any_time(config: dict[str, Any]) -> None:
    # cffi made each function, and read each type, when it was first named, behind a lock: a collector that ran just
    # there, and what it ended called, never came back. Here nobody gives that lock.
    source = """
    import asyncio, io
    from contextlib import suppress
    from psa_host._library import ffi, lib
    print(sorted(set(dir(lib)) - set(vars(lib))))
    ffi._lock.acquire()
    who = {"tenant": "t", "actor": {"id": "u1"}, "permissions": ["view"], "mount": "/psa"}
    who["public_origin"] = "https://desk.example.com"
    options = psa_host.CallOptions(trace_id="a", timeout_ms=60_000)
    file = {"tenant": "t", "connection": "none", "options": options}

    async def awaited(host):
        asynchronous = psa_host.AsyncHost(host)
        await asynchronous.plugins.list()
        await asynchronous.page(who, "GET", "/")
        await asynchronous.callback("POST", "/hooks/none")

    with psa_host.Host(given["config"]) as host:
        host.plugins.list()
        host.page(who, "GET", "/", [("Accept", "text/html")])
        host.callback("POST", "/hooks/none", body=b"{}")
        with suppress(errors.NotFound):
            host.attachments.get(**file, attachment="1", output=io.BytesIO())
        with suppress(errors.NotFound):
            host.attachments.add(**file, ticket="1", title="A", file_name="a", public=False, input=b"a")
        asyncio.run(awaited(host))
    print("ended")
    """
    with program(source, config=config) as process:
        assert ended(process, 30) == (0, "[]\nended\n", "")


def test_a_host_is_not_pickled_nor_copied(host: psa_host.Host) -> None:
    for at in (host, psa_host.AsyncHost(host)):
        for refused in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="open one where it is needed"):
                refused(at)


def test_several_hosts_live_side_by_side(config: dict[str, Any], host: psa_host.Host) -> None:
    with psa_host.Host(config) as other:
        assert other.vault.status().keys != host.vault.status().keys


def test_a_library_that_is_not_there_is_named() -> None:
    environment = {**os.environ, "PSA_HOST_LIBRARY": "/nowhere/libpsa_host.so"}
    ran = subprocess.run([sys.executable, "-c", "import psa_host"], env=environment, capture_output=True, text=True)
    assert ran.returncode == 1
    assert "ImportError: PSA_HOST_LIBRARY names /nowhere/libpsa_host.so, which is not there." in ran.stderr


def test_the_package_has_its_library_and_plugins() -> None:
    assert psa_host.version().count(".") == 2
    assert [os.path.basename(path) for path in psa_host.bundled_plugins()] == ["psa_connectwise.so"]
