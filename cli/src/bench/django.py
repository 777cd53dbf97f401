"""The other side of `psa bench --callbacks`: a Django view that checks a callback, keeps it and answers 204.

Everything is as kind to it as can be: no middleware, no ORM, no socket, no HTTP to parse, one prepared statement, one index.
The journal and its syncing are those of the host's own store.
"""

import base64
import hashlib
import hmac
import io
import json
import pathlib
import sqlite3
import sys
import threading
import time

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.urls import path

FOLDER = pathlib.Path(sys.argv[1])
FACTS = json.loads((FOLDER / "messages.json").read_text())
KEY = hashlib.sha256(FACTS["key"].encode()).digest()
COMPANY = FACTS["company"].lower()

# One connection behind one lock: with one for each thread they would wait for SQLite's own lock in steps of milliseconds.
turn = threading.Lock()
db = sqlite3.connect(FOLDER / "django.db", check_same_thread=False)
db.execute("PRAGMA journal_mode = WAL")
db.execute("PRAGMA synchronous = FULL")
db.execute(
    "CREATE TABLE callbacks (id INTEGER PRIMARY KEY, received INTEGER, token TEXT, query TEXT, message TEXT UNIQUE,"
    " ticket INTEGER, body BLOB)"
)


def callback(request, token):
    if request.method != "POST":
        return HttpResponse(status=405)
    body = request.body
    right = base64.b64encode(hmac.new(KEY, body, hashlib.sha256).digest()).decode()
    if not hmac.compare_digest(right, request.headers.get("x-content-signature", "")):
        return HttpResponse(status=403)
    message = json.loads(body)
    if message["CompanyId"].lower() != COMPANY or str(message["ID"]) != request.GET["recordId"]:
        return HttpResponse(status=403)
    row = (time.time_ns(), token, request.META["QUERY_STRING"], message["MessageId"], message["ID"], body)
    with turn:
        db.execute(
            "INSERT OR IGNORE INTO callbacks (received, token, query, message, ticket, body) VALUES (?, ?, ?, ?, ?, ?)", row
        )
        db.commit()
    return HttpResponse(status=204)


urlpatterns = [path("hooks/<str:token>", callback)]
settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, MIDDLEWARE=[], SECRET_KEY="none", DEBUG=False)
django.setup()
handler = WSGIHandler()


def environ(message):
    """As a WSGI server would hand it over."""
    where, query = message["url"].split("?", 1)
    body = message["body"].encode()
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": where,
        "QUERY_STRING": query,
        "SCRIPT_NAME": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_HOST": "127.0.0.1",
        "HTTP_X_CONTENT_SIGNATURE": message["signature"],
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
    }


def hand_in(requests, answers):
    def started(status, headers):
        if not status.startswith("204"):
            raise SystemExit(f"the view answers {status}")

    while True:
        try:
            request = requests.pop()
        except IndexError:
            return
        began = time.perf_counter()
        response = handler(request, started)
        list(response)
        response.close()
        answers.append(time.perf_counter() - began)


print(json.dumps({"versions": f"{django.__version__}, Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}"}), flush=True)
for order in map(json.loads, sys.stdin):
    first = order["first"]
    requests = [environ(message) for message in FACTS["messages"][first : first + order["count"]]]
    answers = []
    callers = [threading.Thread(target=hand_in, args=(requests, answers)) for _ in range(order["callers"])]
    kept = db.execute("SELECT count(*) FROM callbacks").fetchone()[0]
    began = time.perf_counter()
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    all_of_them = time.perf_counter() - began
    kept = db.execute("SELECT count(*) FROM callbacks").fetchone()[0] - kept
    if kept != order["count"]:
        raise SystemExit(f"{kept} of {order['count']} callbacks are kept")
    print(json.dumps({"all": all_of_them, "answers": answers}), flush=True)
