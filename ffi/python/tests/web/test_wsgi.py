"""What the WSGI apps hand on and answer, request by request."""

from __future__ import annotations

import io
import multiprocessing
import warnings
from typing import Any

import pytest

import psa_host
from psa_host import errors, types
from psa_host.wsgi import Callbacks, Page, PerProcess, below


class Recorder(psa_host.Host):
    """A host that notes what it is asked."""

    def __init__(self, error: errors.PsaError | None = None) -> None:
        self.asked: list[Any] = []
        self._error = error

    def _answer(self, *asked: Any) -> psa_host.Response:
        if self._error is not None:
            raise self._error
        self.asked.append(asked)
        return psa_host.Response(200, [("x-a", "1")], b"page")

    def page(self, who: Any, method: Any, url: Any, headers: Any = (), body: bytes = b"") -> psa_host.Response:
        return self._answer(who, method, url, list(headers), body)

    def callback(self, method: Any, url: Any, headers: Any = (), body: bytes = b"") -> psa_host.Response:
        return self._answer(method, url, list(headers), body)


WHO = types.Who(tenant="t", actor=types.Actor(id="7"), public_origin="https://desk.example")


def environ(path: str = "/", body: bytes = b"", **more: Any) -> dict[str, Any]:
    length = {"CONTENT_LENGTH": str(len(body))} if body else {}
    read = io.BytesIO(body)
    return {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": path, "wsgi.input": read, **length, **more}


def sent(app: Any, given: dict[str, Any]) -> tuple[str, dict[str, str], bytes]:
    told: list[tuple[str, dict[str, str]]] = []

    def start_response(status: str, headers: list[tuple[str, str]]) -> None:
        told.append((status, dict(headers)))

    body = b"".join(app(given, start_response))
    return *told[0], body


def test_identify_has_no_default() -> None:
    with pytest.raises(TypeError):
        Page(Recorder())  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError, match="identify must be a function"):
        Page(Recorder(), None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_an_answer_is_sent_as_it_is_with_its_length() -> None:
    app = Page(Recorder(), lambda _: WHO)
    assert sent(app, environ()) == ("200 OK", {"x-a": "1", "content-length": "4"}, b"page")
    assert sent(app, environ(REQUEST_METHOD="HEAD"))[1] == {"x-a": "1"}


@pytest.mark.parametrize(
    ("given", "url", "mount"),
    [
        ({"PATH_INFO": "/c/a/b", "RAW_URI": "/c/a%2Fb?q=%41+b", "QUERY_STRING": "q=%41+b"}, b"/c/a%2Fb?q=%41+b", ""),
        ({"SCRIPT_NAME": "/x", "PATH_INFO": "/a b", "REQUEST_URI": "/x/a%20b"}, b"/a%20b", "/x"),
        # A proxy has taken a part away that SCRIPT_NAME has again.
        ({"SCRIPT_NAME": "/desk/x", "PATH_INFO": "/%", "RAW_URI": "/x/%25"}, b"/%25", "/desk/x"),
        ({"SCRIPT_NAME": "/x", "PATH_INFO": "/é".encode().decode("latin-1")}, b"/%C3%A9", "/x"),
        ({"SCRIPT_NAME": "/ü".encode().decode("latin-1"), "PATH_INFO": ""}, b"/", "/%C3%BC"),
        ({"PATH_INFO": "/c/1", "REQUEST_URI": "http://desk.example/c/%31?x"}, b"/c/%31", ""),
        # What the server has rewritten since is not taken for what was written.
        ({"PATH_INFO": "/new place", "REQUEST_URI": "/old"}, b"/new%20place", ""),
    ],
)
def test_the_path_is_handed_on_as_it_was_written(given: dict[str, Any], url: bytes, mount: str) -> None:
    host = Recorder()
    sent(Page(host, lambda _: WHO), environ(**given))
    [(who, _, found, _, _)] = host.asked
    assert (found, who.mount) == (url, mount)


def test_a_mount_that_the_product_names_stays() -> None:
    host = Recorder()
    given = environ(SCRIPT_NAME="/inner")
    sent(Page(host, lambda _: {"tenant": "t", "mount": "/outer"}), given)
    sent(Page(host, lambda _: {"tenant": "t"}), given)
    sent(Page(host, lambda _: None), given)
    assert [asked[0] for asked in host.asked] == [{"tenant": "t", "mount": "/outer"}, {"tenant": "t", "mount": "/inner"}, None]


def test_headers_are_handed_on_but_for_what_is_the_products() -> None:
    host = Recorder()
    given = {"HTTP_COOKIE": "session=1", "HTTP_AUTHORIZATION": "x", "HTTP_SEC_FETCH_SITE": "same-origin"}
    sent(Callbacks(host), environ(body=b"{}", CONTENT_TYPE="text/plain", HTTP_X_NAME="Grüße".encode().decode("latin-1"), **given))
    assert sorted(host.asked[0][2]) == [
        (b"content-length", b"2"),
        (b"content-type", b"text/plain"),
        (b"sec-fetch-site", b"same-origin"),
        (b"x-name", "Grüße".encode()),
    ]


def test_who_is_not_let_in_gets_what_the_product_says_and_the_host_is_not_asked() -> None:
    host = Recorder()
    login = psa_host.Response(303, [("location", "/login")], b"")
    status, headers, _ = sent(Page(host, lambda _: login), environ())
    assert (status, headers["location"], host.asked) == ("303 See Other", "/login", [])


class Endless(io.RawIOBase):
    """A body that never ends; counts what was taken."""

    taken = 0

    def read(self, size: int = -1) -> bytes:
        assert size > 0, "a read without a bound"
        self.taken += size
        return b"x" * size


@pytest.mark.parametrize(
    ("given", "most"),
    [
        ({"CONTENT_LENGTH": "101"}, 0),
        ({"wsgi.input_terminated": True}, 101),
        ({"HTTP_TRANSFER_ENCODING": "chunked"}, 101),
        # Nothing says that there is a body: reading would wait for ever.
        ({}, 0),
    ],
)
def test_no_more_is_read_than_may_come(given: dict[str, Any], most: int) -> None:
    for app in (Page(Recorder(), lambda _: WHO, body_bytes_max=100), Callbacks(Recorder(), body_bytes_max=100)):
        body = Endless()
        status = sent(app, environ() | {"wsgi.input": body} | given)[0]
        assert body.taken <= most
        assert status.partition(" ")[0] == ("413" if given else "200")


@pytest.mark.parametrize("length", ["3", "-1", "1 ", "x"])
def test_a_body_of_another_length_than_was_said_is_refused(length: str) -> None:
    host = Recorder()
    assert sent(Callbacks(host), environ(body=b"ab") | {"CONTENT_LENGTH": length})[0] == "400 Bad Request"
    assert host.asked == []


def test_a_callback_that_cannot_be_kept_comes_again_and_its_address_stays_out_of_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    host = Recorder(errors.ClosedError("the host is closed"))
    status, headers, _ = sent(Callbacks(host), environ("/t0ken"))
    assert (status, headers["retry-after"]) == ("429 Too Many Requests", "2")
    assert "the host is closed" in caplog.text and "t0ken" not in caplog.text


def test_a_page_of_a_closed_host_is_away_for_a_moment_and_one_of_a_fork_is_a_mistake() -> None:
    closed, forked = Recorder(errors.ClosedError("closed")), Recorder(errors.ForkedError("forked"))
    assert sent(Page(closed, lambda _: WHO), environ())[0] == "503 Service Unavailable"
    with pytest.raises(errors.ForkedError):
        sent(Page(forked, lambda _: WHO), environ())


def test_below_moves_a_prefix_from_the_path_to_the_mount() -> None:
    moved = below(environ("/x/c/1", SCRIPT_NAME="/desk"), "/x", more=1)
    assert (moved["SCRIPT_NAME"], moved["PATH_INFO"], moved["more"]) == ("/desk/x", "/c/1", 1)
    with pytest.raises(ValueError, match="not below"):
        below(environ("/y"), "/x")


def asked_in_a_child(host: PerProcess, answers: Any) -> None:
    answers.put(bool(host().call("methods.list")["items"]))
    host.close()


def test_each_process_opens_a_host_of_its_own(config: dict[str, Any]) -> None:
    host = PerProcess(lambda: config)
    assert host() is host()
    fork = multiprocessing.get_context("fork")
    answers = fork.Queue()
    child = fork.Process(target=asked_in_a_child, args=(host, answers))
    with warnings.catch_warnings():
        # Since 3.12 Python warns of a fork with threads around, which is what this is about.
        warnings.simplefilter("ignore", DeprecationWarning)
        child.start()
    assert answers.get(timeout=60) is True
    child.join()
    assert host().call("methods.list")["items"]
    first = host()
    host.close()
    with pytest.raises(errors.ClosedError):
        first.call("methods.list")
    assert host().call("methods.list")["items"]
    host.close()
