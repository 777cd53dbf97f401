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
from processes import ran

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
