"""The Integrations page and the callback address in Flask.

    PSA_CONFIG='{"data_dir": …}' PUBLIC_ORIGIN=http://127.0.0.1:8000 gunicorn --preload --threads 8 app:app

MOUNT says where the page is, "/integrations" if left out; callbacks come in at /hooks/psa.
"""

import json
import os
import secrets

from flask import Flask, redirect, request, session
from psa_host import types
from psa_host.wsgi import Callbacks, Page, PerProcess, below
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix

app = Flask(__name__)
app.secret_key = os.environ.get("SECRET_KEY") or secrets.token_hex()
mount = os.environ.get("MOUNT", "/integrations").rstrip("/")

# begin: mount
# begin: per-process
# Opened by the process that first needs it: gunicorn may load this module before it forks.
host = PerProcess(lambda: json.loads(os.environ["PSA_CONFIG"]))
# end: per-process


def identify(environ):
    """Who asks, from the product's own login."""
    return types.Who(
        tenant="t",
        actor=types.Actor(id=session["user"]),
        permissions=["view", "configure", "secrets", "map", "operate", "delete", "audit"],
        session=session["id"],
        public_origin=os.environ["PUBLIC_ORIGIN"],
    )


page = Page(host, identify)


@app.route(f"{mount}/", methods=["GET", "POST"])
@app.route(f"{mount}/<path:rest>", methods=["GET", "POST"])
def integrations(rest=""):
    if "user" not in session:
        return redirect(f"{request.script_root}/login")
    answer = page.respond(below(request.environ, mount))
    return answer.body, answer.status, answer.headers


# In front of everything that asks for a login.
app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/hooks/psa": Callbacks(host)})
# end: mount
# Only behind a proxy that sets X-Forwarded-Prefix to what it has taken off the path.
if os.environ.get("PROXY_PREFIX"):
    app.wsgi_app = ProxyFix(app.wsgi_app, x_prefix=1)


@app.get("/login")
def login():
    """A login that lets everybody in: the product has its own."""
    session["user"], session["id"] = request.args["user"], secrets.token_hex()
    return redirect(f"{request.script_root}{mount}/")
