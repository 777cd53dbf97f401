"""The Integrations page and the callback address in Django, in one file.

    PSA_CONFIG='{"data_dir": …}' PUBLIC_ORIGIN=http://127.0.0.1:8000 gunicorn --preload --threads 8 app:application

MOUNT says where the page is, "/integrations" if left out; callbacks come in at /hooks/psa.
"""

import json
import os
import secrets

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.views.decorators.csrf import csrf_exempt
from psa_host import types
from psa_host.wsgi import Callbacks, Page, PerProcess, below

mount = os.environ.get("MOUNT", "/integrations").strip("/")
settings.configure(
    SECRET_KEY=os.environ.get("SECRET_KEY") or secrets.token_hex(),
    ALLOWED_HOSTS=["127.0.0.1", "localhost"],
    ROOT_URLCONF=__name__,
    # What a proxy in front has taken off the path, if it has.
    FORCE_SCRIPT_NAME=os.environ.get("PROXY_PREFIX"),
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
    ],
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
)
django.setup()

# begin: mount
# Opened by the process that first needs it: gunicorn may load this module before it forks.
host = PerProcess(lambda: json.loads(os.environ["PSA_CONFIG"]))


def identify(environ):
    """Who asks, from the product's own login."""
    session = environ["django.request"].session
    return types.Who(
        tenant="t",
        actor=types.Actor(id=session["user"]),
        permissions=["view", "configure", "secrets", "map", "operate", "delete", "audit"],
        session=session["id"],
        mount=reverse("integrations").rstrip("/"),
        public_origin=os.environ["PUBLIC_ORIGIN"],
    )


page = Page(host, identify)
callbacks = Callbacks(host)


def sent(answer):
    response = HttpResponse(answer.body, status=answer.status)
    for name, value in answer.headers:
        response[name] = value
    return response


# Each form of the page carries the host's own token, and the callback a signature: Django's token is not asked for, and
# request.POST not touched, so that the body is there.
@csrf_exempt
def integrations(request, rest=""):
    if "user" not in request.session:
        return redirect("login")
    prefix = f"/{mount}" if mount else ""
    return sent(page.respond(below(request.environ, prefix, **{"django.request": request})))


@csrf_exempt
def callback(request, token=""):
    return sent(callbacks.respond(below(request.environ, "/hooks/psa")))


def login(request):
    """A login that lets everybody in: the product has its own."""
    request.session["user"], request.session["id"] = request.GET["user"], secrets.token_hex()
    return redirect("integrations")


urlpatterns = [
    path("login", login, name="login"),
    path("hooks/psa/<path:token>", callback),
    path(f"{mount}/" if mount else "", integrations, name="integrations"),
    path(f"{mount}/<path:rest>" if mount else "<path:rest>", integrations),
]
# end: mount

application = get_wsgi_application()
