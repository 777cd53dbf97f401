"""A host works in the process that has opened it, and says so in every other one."""

from __future__ import annotations

from typing import Any

from processes import ran

FORKED = """
import asyncio, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # that a process with threads forks
def refused(what, call):
    try:
        call()
    except errors.ForkedError as error:
        assert "post_fork" in str(error), error
        return
    raise AssertionError(what)
def in_child(host):
    asynchronous = psa_host.AsyncHost(host)
    refused("call", lambda: host.call("vault.status"))
    refused("typed", host.vault.status)
    refused("page", lambda: host.page(None, "GET", "/"))
    refused("callback", lambda: host.callback("POST", "/"))
    refused("events", lambda: list(host.events("desk")))
    refused("asyncio", lambda: asyncio.run(asynchronous.call("vault.status")))
    host.close()
    config = {**given["config"], "data_dir": given["config"]["data_dir"] + "-child"}
    with psa_host.Host(config) as fresh:
        assert fresh.vault.status().keys
"""


def test_a_child_is_refused_with_the_cure_and_may_open_its_own(config: dict[str, Any]) -> None:
    source = FORKED + """
host = psa_host.Host(given["config"])
assert host.vault.status().keys
child = os.fork()
if child == 0:
    in_child(host)
    print("child done", flush=True)
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
assert host.vault.status().keys
host.close()
print("parent done")
"""
    assert ran(source, config=config) == (0, "child done\nparent done\n", "")


def test_a_child_that_forgets_its_parents_host_says_nothing(config: dict[str, Any]) -> None:
    source = """
    import gc, warnings
    warnings.simplefilter("ignore", DeprecationWarning)
    host = psa_host.Host(given["config"])
    child = os.fork()
    if child == 0:
        del host
        gc.collect()
        sys.exit(0)
    assert os.waitpid(child, 0)[1] == 0
    host.close()
    """
    assert ran(source, config=config) == (0, "", "")


def test_multiprocessing_by_fork_is_refused_and_by_spawn_cannot_carry_a_host(config: dict[str, Any]) -> None:
    source = FORKED + """
import multiprocessing
with psa_host.Host(given["config"]) as host:
    process = multiprocessing.get_context("fork").Process(target=in_child, args=(host,))
    process.start()
    process.join()
    assert process.exitcode == 0
    try:
        multiprocessing.get_context("spawn").Process(target=in_child, args=(host,)).start()
    except TypeError as error:
        print(error)
    assert host.vault.status().keys
"""
    code, out, err = ran(source, config=config)
    assert (code, err) == (0, "")
    assert out == "an opened psa_host cannot be pickled or copied: open one where it is needed\n"
