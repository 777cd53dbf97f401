"""Somebody with a browser, as far as the tests need one."""

from __future__ import annotations

import http.client
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urlsplit


class Markup(HTMLParser):
    """Links, assets and forms of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.assets: list[str] = []
        self.forms: dict[str, dict[str, str]] = {}
        self._form: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag in ("link", "script", "img") and (address := given.get("href") or given.get("src")):
            self.assets.append(address)
        elif tag == "form" and given.get("method") == "post":
            self._form = self.forms.setdefault(given["action"], {})
        elif tag == "input" and given.get("type") == "hidden":
            self._form[given["name"]] = given.get("value", "")


@dataclass
class Seen:
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def markup(self) -> Markup:
        return Markup(self.body.decode())


@dataclass
class Visitor:
    """A browser at one origin, with its cookies."""

    origin: str
    cookies: dict[str, str] = field(default_factory=dict[str, str])

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> Seen:
        """One request; headers are named as keywords, with underscores."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            given["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection = http.client.HTTPConnection(urlsplit(self.origin).netloc, timeout=60)
        try:
            connection.request(method, path, body, given)
            answer = connection.getresponse()
            for name, value in answer.getheaders():
                if name.lower() == "set-cookie" and (pair := re.match(r"([^=]+)=([^;]*)", value)):
                    self.cookies[pair[1]] = pair[2]
            return Seen(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def get(self, path: str) -> Seen:
        return self.ask("GET", path)

    def send(self, action: str, fields: dict[str, str], origin: str | None = None) -> Seen:
        """Sends a form, from a page of an origin."""
        kind = "application/x-www-form-urlencoded"
        return self.ask("POST", action, urlencode(fields), Content_Type=kind, Origin=origin or self.origin)
