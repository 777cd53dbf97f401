"""The blocking host does the whole job, typed and by name."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from scene import Simulator

import psa_host
from psa_host import CallOptions, errors, types


def test_six_calls_are_the_whole_job(host: psa_host.Host, simulator: Simulator, ticket: str) -> None:
    made = host.connections.create(
        tenant="six", plugin="connectwise", settings=simulator.settings, secrets=simulator.secrets
    )
    assert host.connections.test(tenant="six", connection=made.connection).passed
    link = host.links.create(tenant="six", connection=made.connection, product_ticket="HD-7", ticket=ticket)
    note = host.notes.post(tenant="six", link=link.link, visibility="internal", text="Grüße", wait_ms=60_000)
    assert (note.state, note.outcome, note.visibility) == ("delivered", "applied", "internal")
    assert simulator.notes(ticket) == ["Grüße"]


def test_results_are_structs_with_their_parts(host: psa_host.Host, connection: str) -> None:
    page = host.tickets.search(tenant="t", connection=connection, page=types.PageRequest(limit=2))
    assert [type(ticket) for ticket in page.items] == [types.Ticket, types.Ticket]
    assert page.next is not None
    more = host.tickets.search(tenant="t", connection=connection, page=types.PageRequest(limit=2, cursor=page.next))
    assert {ticket.id for ticket in page.items}.isdisjoint(ticket.id for ticket in more.items)
    boards = host.tickets.catalog(tenant="t", connection=connection, kind="boards").items
    assert ("board", "Help Desk") in [(entry.entry, entry.name) for entry in boards]


@pytest.mark.parametrize("ahead", [False, True])
def test_a_list_is_walked_to_its_end(host: psa_host.Host, connection: str, ahead: bool) -> None:
    size = types.PageRequest(limit=7)
    pages = list(psa_host.pages(host.tickets.search, tenant="t", connection=connection, page=size, ahead=ahead))
    assert [len(page.items) for page in pages[:-1]] == [7] * (len(pages) - 1)
    whole = host.tickets.search(tenant="t", connection=connection, page=types.PageRequest(limit=1000))
    assert [ticket.id for page in pages for ticket in page.items] == [ticket.id for ticket in whole.items]


def test_pages_that_lead_back_to_an_earlier_one_are_an_error() -> None:
    def endless(*, page: types.PageRequest | None = None) -> types.Page[int]:
        return types.Page(items=[1], next="a" if page is None or page.cursor == "b" else "b")

    with pytest.raises(errors.Unavailable) as caught:
        for _ in psa_host.pages(endless):
            pass
    assert caught.value.reason == "endless"


def test_any_method_can_be_called_by_its_name(host: psa_host.Host, connection: str) -> None:
    by_name = host.call("tickets.get", {"tenant": "t", "connection": connection, "ticket": "1001"})
    typed = host.tickets.get(tenant="t", connection=connection, ticket="1001")
    assert by_name["summary"] == typed.summary
    assert host.call("vault.status")["keys"]


def test_every_method_of_the_library_has_a_function_in_both_hosts(host: psa_host.Host) -> None:
    asynchronous = psa_host.AsyncHost(host)
    for method in host.methods.list().items:
        for at in (host, asynchronous):
            found: Any = at
            for part in method.name.split("."):
                found = getattr(found, part if part != "try" else "try_")
            assert callable(found), method.name


def test_what_is_unknown_in_an_answer_does_no_harm() -> None:
    text = b'{"entry":"of tomorrow","id":"1","name":"x","novelty":{"a":[1]}}'
    assert msgspec.json.decode(text, type=types.CatalogEntry).entry == "of tomorrow"


def test_a_secret_is_in_no_repr(host: psa_host.Host, simulator: Simulator) -> None:
    made = types.ConnectionsCreateParams(tenant="t", plugin="connectwise", secrets=simulator.secrets)
    change = types.OpOf(op="replace", value="hunter2")
    who = types.Who(tenant="t", actor=types.Actor(id="u"), public_origin="https://desk.example", session="session-of-ann-lee")
    for shown in (repr(made), repr(change), repr(who), str(made), f"{change}"):
        assert "…" in shown
        assert not any(word in shown for word in (*simulator.secrets.values(), "hunter2", "session-of"))


def test_threads_share_a_host(host: psa_host.Host, connection: str) -> None:
    def summary(_: int) -> str | None:
        return host.tickets.get(tenant="t", connection=connection, ticket="1001").summary

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(summary, range(200)))) == 1


def test_a_call_may_have_its_own_end(host: psa_host.Host, connection: str, simulator: Simulator) -> None:
    simulator.fault("get_ticket", "hang")
    with pytest.raises(errors.Timeout) as caught:
        host.tickets.get(
            tenant="t",
            connection=connection,
            ticket="1002",
            fresh=True,
            options=CallOptions(timeout_ms=200, trace_id="trace-1"),
        )
    assert isinstance(caught.value, TimeoutError)


def test_configuration_can_be_a_struct(config: dict[str, Any]) -> None:
    typed = msgspec.convert(config, types.Config)
    with psa_host.Host(typed) as host:
        assert [plugin.id for plugin in host.plugins.list().items] == ["connectwise"]


def test_a_bad_configuration_is_refused_with_its_place() -> None:
    with pytest.raises(errors.InvalidArgument, match="/data_dir"):
        psa_host.Host({"data_dir": 1})
