"""The psa-bridge host for Python: connects a helpdesk product to the PSA systems of its customers.

`Host` blocks, `AsyncHost` is for asyncio; both are one library underneath. `errors` has what can go wrong.
"""

from . import errors, types
from ._call import CallOptions
from ._http import Headers, Response
from ._library import bundled_plugins, version
from ._pages import pages, pages_async
from .aio import AsyncHost
from .errors import PsaError
from .host import Host

__all__ = [
    "AsyncHost",
    "CallOptions",
    "Headers",
    "Host",
    "PsaError",
    "Response",
    "bundled_plugins",
    "errors",
    "pages",
    "pages_async",
    "types",
    "version",
]
