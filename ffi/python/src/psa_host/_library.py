"""The shared library: where it is, and its functions.

Holds: `ffi` and `lib`, and the paths of the plugins that came with the package.
Promises: a library of another ABI is refused at import, with both versions in the message; no use of it after the
import waits for cffi.
"""

import os
import sys
from pathlib import Path
from typing import Any

from cffi import FFI

from ._cdef import CDEF

_HERE = Path(__file__).parent
_NAMES = {"darwin": "libpsa_host.dylib", "win32": "psa_host.dll"}

_TYPES = (
    "psa_bytes *",
    "psa_chunk *",
    "psa_done *",
    "psa_header[]",
    "psa_host **",
    "psa_http_request",
    "psa_http_request *",
    "psa_reader *",
    "psa_reply **",
    "psa_reply *[]",
    "psa_writer *",
    "size_t *",
    "uint64_t *",
    "void *",
)
"""All that the package names to cffi for the first time after its import."""


def library_path() -> Path:
    """The file named by PSA_HOST_LIBRARY, or the one inside the package."""
    named = os.environ.get("PSA_HOST_LIBRARY")
    path = Path(named) if named else _HERE / "_lib" / _NAMES.get(sys.platform, "libpsa_host.so")
    if path.is_file():
        return path
    if named:
        raise ImportError(f"PSA_HOST_LIBRARY names {path}, which is not there.")
    raise ImportError(
        f"{path} is not there: this psa_host was not installed, only found. Install it with pip, "
        "or let PSA_HOST_LIBRARY name the library."
    )


def _load(path: Path) -> Any:
    loaded = ffi.dlopen(str(path))
    wanted, found = loaded.PSA_ABI_MAJOR, loaded.psa_host_abi() >> 16
    if wanted != found:
        raise ImportError(f"{path} speaks ABI {found}, this package speaks {wanted}: install them from one release.")
    # cffi makes a function, and reads a type, when it is first named, behind a lock that does not let its own thread in
    # again: the collector may run there, and what it ends may call.
    for name in dir(loaded):
        getattr(loaded, name, None)
    for name in _TYPES:
        ffi.typeof(name)
    return loaded


ffi: Any = FFI()
ffi.cdef(CDEF)
lib: Any = _load(library_path())


def version() -> str:
    """The version of the loaded library, "1.4.0"."""
    text: bytes = ffi.string(lib.psa_host_version())
    return text.decode()


def bundled_plugins() -> list[str]:
    """The paths of the plugins inside the package, which is what a configuration without `plugins` loads."""
    return sorted(str(path) for path in (_HERE / "plugins").glob("psa_*") if path.suffix in {".so", ".dylib", ".dll"})
