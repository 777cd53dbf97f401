"""What type checkers know: mypy and pyright read this file; pytest only runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psa_host
from psa_host import types

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from psa_host.events import Event
    from typing_extensions import assert_type

    def blocking(host: psa_host.Host) -> None:
        assert_type(host.tickets.search(tenant="t", connection="c"), types.Page[types.Ticket])
        assert_type(host.notes.post(tenant="t", link="l", visibility="public", text="x"), types.OperationView)
        assert_type(psa_host.pages(host.tickets.search, tenant="t", connection="c"), Iterator[types.Page[types.Ticket]])
        assert_type(host.events("desk"), Iterator[Event])
        assert_type(host.page(None, "GET", "/"), psa_host.Response)

    async def awaited(host: psa_host.AsyncHost) -> None:
        assert_type(await host.tickets.search(tenant="t", connection="c"), types.Page[types.Ticket])
        pages = psa_host.pages_async(host.tickets.search, tenant="t", connection="c")
        assert_type(pages, AsyncIterator[types.Page[types.Ticket]])
        assert_type(host.events("desk"), AsyncIterator[Event])
        assert_type(await host.callback("POST", "/"), psa_host.Response)

    def mistakes(host: psa_host.Host) -> None:
        # Each line is an error to both checkers; one that is none fails as an unused ignore.
        host.notes.post(tenant="t", link="l", text="x")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        host.notes.post(tenant="t", link="l", visibility="secret", text="x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        psa_host.pages(host.tickets.search, tenant="t", connction="c")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        host.notes.pst()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]

    def words_may_grow(note: types.Note) -> str:
        return note.visibility if note.visibility != "internal" else "hidden"


def test_what_is_known_of_a_word_is_text_at_run_time() -> None:
    assert vars(types)["Visibility"] is str
