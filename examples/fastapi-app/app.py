"""The Integrations page and the callback address in FastAPI.

    PSA_CONFIG='{"data_dir": …}' PUBLIC_ORIGIN=http://127.0.0.1:8000 uvicorn app:app

MOUNT says where the page is, "/integrations" if left out; callbacks come in at /hooks/psa.
"""

import json
import os
import secrets
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse
from psa_host import AsyncHost, Response, types
from psa_host.asgi import Callbacks, Page
from starlette.middleware.sessions import SessionMiddleware

mount = os.environ.get("MOUNT", "/integrations").rstrip("/")


# begin: mount
@asynccontextmanager
async def lifespan(app):
    async with AsyncHost(json.loads(os.environ["PSA_CONFIG"])) as app.state.host:
        yield


def identify(scope):
    """Who asks, from the product's own login; the way there for who is not signed in."""
    session = scope["session"]
    if "user" not in session:
        return Response(303, [("location", f"{scope.get('app_root_path', '')}/login")], b"")
    return types.Who(
        tenant="t",
        actor=types.Actor(id=session["user"]),
        permissions=["view", "configure", "secrets", "map", "operate", "delete", "audit"],
        session=session["id"],
        public_origin=os.environ["PUBLIC_ORIGIN"],
    )


app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
app.add_middleware(SessionMiddleware, secret_key=os.environ.get("SECRET_KEY") or secrets.token_hex())


@app.get("/login")
async def login(request: Request, user: str):
    """A login that lets everybody in: the product has its own."""
    request.session.update(user=user, id=secrets.token_hex())
    return RedirectResponse(f"{request.scope.get('root_path', '')}{mount}/")


app.mount("/hooks/psa", Callbacks(lambda: app.state.host))
app.mount(mount, Page(lambda: app.state.host, identify))
# end: mount
