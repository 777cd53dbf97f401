"""Lists to their end.

Holds: `pages`, and `pages_async` for asyncio.
Promises: one page at a time, in the provider's order; a list that leads back to an earlier page is an error, not a loop.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, ParamSpec, TypeVar, cast

from . import errors
from .types import Page, PageRequest

P = ParamSpec("P")
T = TypeVar("T")


def pages(method: Callable[P, Page[T]], *args: P.args, **kwargs: P.kwargs) -> Iterator[Page[T]]:
    """The pages of a list: `for page in pages(host.tickets.search, tenant=…, connection=…, ahead=True)`.

    It takes what the method takes. With `ahead`, where the method has it, the next page is read while you look at this one.
    """
    call, walk = cast("Callable[..., Page[T]]", method), _Walk(kwargs)
    while walk.goes_on:
        page = call(*args, **walk.params)
        yield page
        walk.turn(page.next)


async def pages_async(
    method: Callable[P, Awaitable[Page[T]]], *args: P.args, **kwargs: P.kwargs
) -> AsyncIterator[Page[T]]:
    """The same with a method of `AsyncHost`: `async for page in pages_async(host.tickets.search, …)`."""
    call, walk = cast("Callable[..., Awaitable[Page[T]]]", method), _Walk(kwargs)
    while walk.goes_on:
        page = await call(*args, **walk.params)
        yield page
        walk.turn(page.next)


class _Walk:
    """Where one is in a list."""

    def __init__(self, params: dict[str, Any]) -> None:
        self.params = params
        self.goes_on = True
        self._seen: set[str] = set()

    def turn(self, cursor: str | None) -> None:
        """Goes to the next page, if there is one."""
        if cursor is None:
            self.goes_on = False
            return
        if cursor in self._seen:
            message = "the provider's list has no end: a page leads back to an earlier one"
            raise errors.Unavailable(message, reason="endless")
        self._seen.add(cursor)
        first = self.params.get("page")
        self.params["page"] = PageRequest(cursor=cursor, limit=first.limit if first else None)
