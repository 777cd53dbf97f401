"""The page and the callback address in each framework and server, at each kind of mount: as people and the PSA find them."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest
from sites import MOUNTS, SERVERS, Served, Site
from visitor import Seen, Visitor

T = TypeVar("T")

# More bytes than letters: who changes the body on its way changes its signature.
WRITTEN = "Grüße aus 東京, ready ✓"
TWO_MIB = 2 << 20


@pytest.fixture(scope="module", params=[f"{name} {mount}" for name in SERVERS for mount in MOUNTS])
def site(request: Any, whole_simulator: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    name, mount = request.param.split(" ")
    whole_simulator.control("POST", "switches", {"delivery_scale": 0.05})
    with Served(name, mount, whole_simulator, tmp_path_factory.mktemp("site")) as served:
        yield served


def signed_in(site: Site, user: str = "ann") -> Visitor:
    visitor = Visitor(site.origin)
    assert visitor.get(f"{site.prefix}/login?user={user}").headers["location"] == f"{site.mount}/"
    return visitor


def until(found: Callable[[], T | None]) -> T:
    """Waits for a state."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if (value := found()) is not None:
            return value
        time.sleep(0.02)
    raise AssertionError("it never came to this")


def test_who_is_not_signed_in_is_sent_to_the_login(site: Site) -> None:
    seen = Visitor(site.origin).get(f"{site.mount}/")
    assert seen.status in (302, 303) and seen.headers["location"] == f"{site.prefix}/login", seen


def test_every_link_and_asset_leads_to_something_of_ours(site: Site) -> None:
    visitor, seen, waiting = signed_in(site), set[str](), [f"{site.mount}/"]
    while waiting and len(seen) < 60:
        path = waiting.pop().partition("#")[0]
        if path in seen:
            continue
        seen.add(path)
        answer = visitor.get(path)
        assert answer.status == 200, (path, answer)
        if not answer.headers["content-type"].startswith("text/html"):
            continue
        markup = answer.markup
        own = [link for link in markup.links + markup.assets if not link.startswith(("#", "https://"))]
        assert all(link.startswith(f"{site.mount}/") for link in own), own
        assert markup.assets, path
        waiting += own
    parts = ("activity", "callbacks", "map/members", "map/priorities", "map/statuses", "remove", "settings", "tickets")
    assert seen > {f"{site.mount}/c/{site.connection}/{part}" for part in parts}, seen


def pause_form(visitor: Visitor, site: Site) -> tuple[str, dict[str, str]]:
    forms = visitor.get(f"{site.mount}/c/{site.connection}").markup.forms
    action = f"{site.mount}/c/{site.connection}/pause"
    return action, forms[action]


def state(site: Site) -> str:
    return str(site.host.call("connections.get", {"tenant": "t", "connection": site.connection})["state"])


def test_a_form_does_what_it_says_and_leads_back(site: Site) -> None:
    visitor = signed_in(site)
    action, fields = pause_form(visitor, site)
    sent = visitor.send(action, fields)
    assert sent.status == 303 and sent.headers["location"].startswith(f"{site.mount}/c/{site.connection}"), sent
    assert visitor.get(sent.headers["location"]).status == 200
    assert state(site) == "stopped"
    [entry] = [one for one in activity(site) if one["action"] == "connection.stopped"]
    assert (entry["actor"], entry["detail"]["reason"]) == ("ann", "paused"), entry
    action = action.replace("/pause", "/resume")
    fields = visitor.get(f"{site.mount}/c/{site.connection}").markup.forms[action]
    assert visitor.send(action, fields).status == 303
    assert state(site) == "active"


def activity(site: Site) -> list[dict[str, Any]]:
    return list(site.host.call("activity.list", {"tenant": "t"})["items"])


def test_a_form_of_another_site_or_person_does_nothing(site: Site) -> None:
    ann, bob = signed_in(site), signed_in(site, "bob")
    action, fields = pause_form(ann, site)
    refused: list[Seen] = [
        ann.send(action, fields, origin="https://evil.example"),
        ann.send(action, {name: value for name, value in fields.items() if name != "_token"}),
        bob.send(action, fields),
    ]
    assert [seen.status for seen in refused] == [403, 403, 403], refused
    assert Visitor(site.origin).send(action, fields).status in (302, 303)
    assert state(site) == "active"


def test_no_cookie_comes_from_the_page_and_the_answer_is_whole(site: Site) -> None:
    visitor = signed_in(site)
    cookies = dict(visitor.cookies)
    page = visitor.get(f"{site.mount}/")
    assert visitor.cookies.keys() == cookies.keys()
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    head = visitor.ask("HEAD", f"{site.mount}/")
    assert head.status == 200 and head.body == b""


def test_a_signed_callback_is_believed_whatever_letters_it_has(site: Site) -> None:
    address = f"{site.origin}{site.prefix}/hooks/psa/"

    def registered() -> list[Any] | None:
        entries = site.simulator.control("GET", "callbacks")["items"]
        ours = [entry for entry in entries if str(entry["url"]).startswith(address)]
        return ours if len(ours) == 2 else None

    def verified() -> dict[str, Any] | None:
        asked = {"tenant": "t", "connection": site.connection}
        states = [one["state"] for one in site.host.call("callbacks.deliveries", asked)["items"]]
        assert not {"refused", "unverified"} & set(states), states
        return {"states": states} if "verified" in states else None

    until(registered)
    site.simulator.control("POST", f"tickets/{site.ticket}", {"note": {"text": WRITTEN, "internal": True}})
    site.simulator.control("POST", f"tickets/{site.ticket}", {"summary": WRITTEN})
    until(verified)


def test_the_callback_address_answers_strangers_without_a_login(site: Site) -> None:
    stranger = Visitor(site.origin)
    assert stranger.ask("POST", f"{site.prefix}/hooks/psa/{'0' * 40}", "{}").status == 410
    assert stranger.get(f"{site.prefix}/hooks/psa/{'0' * 40}").status == 405


@pytest.mark.parametrize("chunked", [False, True], ids=["declared", "chunked"])
@pytest.mark.parametrize("door", ["page", "callback"])
def test_two_mebibytes_are_refused_before_they_are_read(site: Site, door: str, chunked: bool) -> None:
    cookies = "; ".join(f"{name}={value}" for name, value in signed_in(site).cookies.items())
    path = f"/hooks/psa/{'0' * 40}" if door == "callback" else f"{site.inner}/c/{site.connection}/pause"
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {TWO_MIB}"
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookies}\r\nContent-Type: text/plain\r\n{length}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", site.port), timeout=60) as connection:
        connection.sendall(head.encode())
        # A little more than may come, and never the end.
        for _ in range(17 if chunked else 1):
            connection.sendall((b"10000\r\n%b\r\n" if chunked else b"%b") % (b"x" * 65536))
        answer = connection.recv(4096)
    assert answer.split(b" ")[1] == b"413", answer
