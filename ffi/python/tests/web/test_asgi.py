"""What the ASGI apps hand on and answer, request by request."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import psa_host
from psa_host import errors, types
from psa_host.asgi import Callbacks, Page


class Recorder(psa_host.AsyncHost):
    """A host that notes what it is asked; its answer waits for `go`."""

    def __init__(self, error: errors.PsaError | None = None, go: asyncio.Event | None = None) -> None:
        self.asked: list[Any] = []
        self.ended: list[str] = []
        self._error, self._go = error, go

    async def _answer(self, *asked: Any) -> psa_host.Response:
        self.asked.append(asked)
        if self._error is not None:
            raise self._error
        try:
            if self._go is not None:
                await self._go.wait()
        except asyncio.CancelledError:
            self.ended.append("cancelled")
            raise
        self.ended.append("done")
        return psa_host.Response(200, [("x-a", "1")], b"page")

    async def page(self, who: Any, method: Any, url: Any, headers: Any = (), body: bytes = b"") -> psa_host.Response:
        return await self._answer(who, method, url, list(headers), body)

    async def callback(self, method: Any, url: Any, headers: Any = (), body: bytes = b"") -> psa_host.Response:
        return await self._answer(method, url, list(headers), body)

    async def close(self, *, drain_ms: int = 0) -> bool:
        self.ended.append("closed")
        return True


WHO = types.Who(tenant="t", actor=types.Actor(id="7"), public_origin="https://desk.example")


def scope(path: str = "/", **more: Any) -> dict[str, Any]:
    return {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": [], **more}


async def sent(app: Any, given: dict[str, Any], *messages: dict[str, Any]) -> list[Any]:
    """What the app sends, given what comes in; after that nothing comes."""
    waiting, told = list(messages or ({"type": "http.request"},)), list[Any]()

    async def receive() -> Any:
        return waiting.pop(0) if waiting else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        told.append(message)

    await app(given, receive, send)
    return told


def status(told: list[Any]) -> int:
    return int(told[0]["status"])


def test_identify_has_no_default() -> None:
    with pytest.raises(TypeError):
        Page(Recorder())  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError, match="identify must be a function"):
        Page(Recorder(), None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_who_asks_may_be_awaited_and_the_answer_is_sent_as_it_is() -> None:
    async def identify(_: Any) -> types.Who:
        return WHO

    told = asyncio.run(sent(Page(Recorder(), identify), scope()))
    assert told == [
        {"type": "http.response.start", "status": 200, "headers": [(b"x-a", b"1"), (b"content-length", b"4")]},
        {"type": "http.response.body", "body": b"page"},
    ]


@pytest.mark.parametrize(
    ("given", "url", "mount"),
    [
        ({"path": "/c/a/b", "raw_path": b"/c/a%2Fb", "query_string": b"q=%41+b"}, b"/c/a%2Fb?q=%41+b", ""),
        ({"path": "/x/a b", "raw_path": b"/x/a%20b", "root_path": "/x"}, b"/a%20b", "/x"),
        # uvicorn --root-path: the path begins with it.
        ({"path": "/desk/x/c", "raw_path": b"/desk/x/c", "root_path": "/desk/x", "app_root_path": "/desk"}, b"/c", "/desk/x"),
        # hypercorn --root-path: it does not.
        ({"path": "/x/c", "raw_path": b"/x/c", "root_path": "/desk/x", "app_root_path": "/desk"}, b"/c", "/desk/x"),
        ({"path": "/c", "raw_path": b"/c", "root_path": "/desk"}, b"/c", "/desk"),
        ({"path": "/desk", "root_path": "/desk"}, b"/", "/desk"),
        ({"path": "/é", "raw_path": None}, b"/%C3%A9", ""),
        ({"path": "/xy", "root_path": "/x"}, b"/xy", "/x"),
    ],
)
def test_the_path_is_handed_on_as_it_was_written(given: dict[str, Any], url: bytes, mount: str) -> None:
    host = Recorder()
    asyncio.run(sent(Page(host, lambda _: WHO), scope(**given)))
    [(who, _, found, _, _)] = host.asked
    assert (found, who.mount) == (url, mount)


def test_headers_are_handed_on_in_their_order_but_for_what_is_the_products() -> None:
    host = Recorder()
    given = [(b"cookie", b"s=1"), (b"x-b", b"2"), (b"x-a", b"\xff"), (b"authorization", b"x"), (b"x-b", b"1")]
    asyncio.run(sent(Callbacks(host), scope(method="POST", headers=given)))
    assert host.asked[0][2] == [(b"x-b", b"2"), (b"x-a", b"\xff"), (b"x-b", b"1")]


def test_a_body_comes_in_pieces_and_stays_bytes() -> None:
    host = Recorder()
    pieces = ({"type": "http.request", "body": b"\xc3", "more_body": True}, {"type": "http.request", "body": b"\xa9"})
    asyncio.run(sent(Callbacks(host), scope(method="POST"), *pieces))
    assert host.asked[0][3] == b"\xc3\xa9"


def test_no_more_is_read_than_may_come() -> None:
    piece = {"type": "http.request", "body": b"x" * 60, "more_body": True}
    for app in (Page(Recorder(), lambda _: WHO, body_bytes_max=100), Callbacks(Recorder(), body_bytes_max=100)):
        declared = scope(method="POST", headers=[(b"content-length", b"101")])
        assert status(asyncio.run(sent(app, declared, {"type": "nothing is read"}))) == 413
        # The third piece would be one that never comes.
        assert status(asyncio.run(sent(app, scope(method="POST"), piece, piece))) == 413
    for length in (b"59", b"-1", b"x"):
        given = scope(method="POST", headers=[(b"content-length", length)])
        assert status(asyncio.run(sent(Callbacks(Recorder()), given, piece | {"more_body": False}))) == 400


@pytest.mark.parametrize(("method", "ended"), [("GET", ["cancelled"]), ("POST", ["done"])])
def test_who_has_gone_ends_a_read_and_no_write(method: str, ended: list[str]) -> None:
    async def scene() -> list[str]:
        go = asyncio.Event()
        host = Recorder(go=go)
        gone = {"type": "http.disconnect"}
        call = asyncio.create_task(sent(Page(host, lambda _: WHO), scope(method=method), {"type": "http.request"}, gone))
        while not host.asked:
            await asyncio.sleep(0)
        if method == "POST":
            # As a server does that cancels what nobody waits for.
            call.cancel()
            go.set()
        await asyncio.wait([call])
        while not host.ended:
            await asyncio.sleep(0)
        return host.ended

    assert asyncio.run(asyncio.wait_for(scene(), 60)) == ended


def test_somebody_who_goes_while_sending_is_not_answered() -> None:
    host = Recorder()
    piece = {"type": "http.request", "body": b"x", "more_body": True}
    told = asyncio.run(sent(Page(host, lambda _: WHO), scope(method="POST"), piece, {"type": "http.disconnect"}))
    assert (told, host.asked) == ([], [])


def test_a_callback_that_cannot_be_kept_comes_again_and_its_address_stays_out_of_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    host = Recorder(errors.Storage("the disk is full"))
    told = asyncio.run(sent(Callbacks(host), scope("/t0ken", method="POST")))
    assert status(told) == 429 and (b"retry-after", b"2") in told[0]["headers"]
    assert "the disk is full" in caplog.text and "t0ken" not in caplog.text


def test_a_page_of_a_closed_host_is_away_for_a_moment_and_one_of_a_fork_is_a_mistake() -> None:
    closed, forked = Recorder(errors.ClosedError("closed")), Recorder(errors.ForkedError("forked"))
    assert status(asyncio.run(sent(Page(closed, lambda _: WHO), scope()))) == 503
    with pytest.raises(errors.ForkedError):
        asyncio.run(sent(Page(forked, lambda _: WHO), scope()))


def test_a_server_that_speaks_lifespan_opens_and_closes_the_host() -> None:
    host = Recorder()
    messages = ({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
    told = asyncio.run(sent(Page(lambda: host, lambda _: WHO), {"type": "lifespan"}, *messages))
    assert [message["type"] for message in told] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert host.ended == ["closed"]

    def cannot() -> psa_host.AsyncHost:
        raise errors.InvalidArgument("the configuration: /data_dir: must be a text")

    told = asyncio.run(sent(Callbacks(cannot), {"type": "lifespan"}, *messages))
    assert told == [
        {
            "type": "lifespan.startup.failed",
            "message": "invalid_argument: the configuration: /data_dir: must be a text",
        }
    ]


def test_a_web_socket_is_closed() -> None:
    told = asyncio.run(sent(Page(Recorder(), lambda _: WHO), {"type": "websocket"}))
    assert told == [{"type": "websocket.close"}]
