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


def test_what_a_child_writes_into_its_parents_folder_is_kept(config: dict[str, Any]) -> None:
    source = """
    import warnings
    warnings.simplefilter("ignore", DeprecationWarning)
    def locked():
        folder = given["config"]["data_dir"]
        names = {os.stat(f"{folder}/{name}").st_ino: name for name in os.listdir(folder)}
        lines = [line.split() for line in open("/proc/locks")]
        mine = [line[5] for line in lines if line[4] == str(os.getpid())]
        return {names.get(int(file.split(":")[2])) for file in mine}
    host = psa_host.Host(given["config"])
    host.vault.status()
    (out, into), (opened, told) = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        with psa_host.Host(given["config"]) as own:
            own.vault.status()
            # Else the parent would think that it is alone, and take the log of what is committed away.
            assert "store.db" in locked(), locked()
            os.write(told, b"x")
            assert os.read(out, 1) == b"x"
            own.connections.create(
                tenant="t", plugin="connectwise", settings=given["settings"], secrets={"private_key": "p"}
            )
        os._exit(0)
    assert os.read(opened, 1) == b"x"
    host.close()
    os.write(into, b"x")
    assert os.waitpid(child, 0)[1] == 0
    with psa_host.Host(given["config"]) as again:
        print(len(again.connections.list(tenant="t").items))
    """
    settings = {
        "site": "custom",
        "host": "https://127.0.0.1:1",
        "company_id": "acme",
        "client_id": "5d1b3c4e-6f70-4812-93a4-b5c6d7e8f901",
        "public_key": "k",
    }
    assert ran(source, config=config, settings=settings) == (0, "1\n", "")
