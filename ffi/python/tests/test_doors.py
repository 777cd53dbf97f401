"""The page and the callback address, as the host serves them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import psa_host
from psa_host import errors, types

WHO = types.Who(
    tenant="t",
    actor=types.Actor(id="u-7", name="Ann Lee"),
    permissions=["view", "configure"],
    public_origin="https://desk.example",
    mount="/psa",
)


def test_the_page_is_drawn_for_who_asks(host: psa_host.Host, connection: str) -> None:
    answer = host.page(WHO, "GET", "/", [("accept", "text/html")])
    assert answer.status == 200
    assert "ConnectWise PSA" in answer.body.decode()
    assert dict(answer.headers)["content-type"].startswith("text/html")
    assert f'href="/psa/c/{connection}' in answer.body.decode()


def test_nobody_sees_nothing(host: psa_host.Host) -> None:
    assert host.page(None, "GET", "/").status == 403
    with pytest.raises(errors.InvalidArgument):
        host.page({"tenant": 1}, "GET", "/")


def test_callbacks_nobody_expects_are_gone(host: psa_host.Host) -> None:
    assert host.callback("POST", "/x/y?id=1", [("content-type", b"application/json")], b"{}").status == 410


def test_both_doors_can_be_awaited(host: psa_host.Host, connection: str) -> None:
    async def ask() -> list[Any]:
        asynchronous = psa_host.AsyncHost(host)
        many = [asynchronous.page(WHO, "GET", "/") for _ in range(50)]
        callback = await asynchronous.callback("POST", b"/x/y", (), b"\xff\x00")
        return [*await asyncio.gather(*many), callback]

    *pages, callback = asyncio.run(ask())
    assert {page.status for page in pages} == {200}
    assert callback.status == 410
