"""Uploads and downloads, as descriptors that the library reads and writes by itself.

Holds: how bytes, paths and file objects become a descriptor of our own, and what follows when the call is done.
Promises: no function of Python runs on a thread of the library; a descriptor lives until its call is done, whatever
the caller closes meanwhile; of a download that failed nothing is left at the path.
"""

from __future__ import annotations

import io
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Callable
from typing import IO, Any

from ._library import ffi, lib
from ._call import Sink, Source

_UNKNOWN = 2**64 - 1

Finish = Callable[[bool], None]
"""Told once whether the call has succeeded."""


class Stream:
    """A descriptor for one call."""

    __slots__ = ("_finish", "pointer")

    def __init__(self, pointer: Any, finish: Finish) -> None:
        self.pointer = pointer
        self._finish: Finish | None = finish

    def finish(self, succeeded: bool) -> None:
        """Ends it; again does nothing."""
        finish, self._finish = self._finish, None
        if finish is not None:
            finish(succeeded)


def reader(source: Source) -> Stream:
    """A source as the library reads it."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        descriptor, length, finish = _spooled(io.BytesIO(source))
    elif isinstance(source, (str, os.PathLike)):
        descriptor = os.open(source, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        length, finish = _length_of(descriptor, 0), _closing(descriptor)
    elif _is_plain(source):
        descriptor, length, finish = _shared(source)
    else:
        descriptor, length, finish = _spooled(source)
    pointer = ffi.new("psa_reader *", (ffi.cast("void *", descriptor), ffi.addressof(lib, "psa_fd_read"), length))
    return Stream(pointer, finish)


def writer(sink: Sink) -> Stream:
    """A sink as the library writes to it."""
    if isinstance(sink, (str, os.PathLike)):
        descriptor, finish = _at_path(os.fspath(sink))
    elif _is_plain(sink):
        sink.flush()
        descriptor, _, finish = _shared(sink)
    else:
        descriptor, finish = _handed_on(sink)
    pointer = ffi.new("psa_writer *", (ffi.cast("void *", descriptor), ffi.addressof(lib, "psa_fd_write")))
    return Stream(pointer, finish)


def _is_plain(file: IO[bytes]) -> bool:
    """Whether its descriptor has the very bytes; that of a decompressor, say, has others."""
    return isinstance(getattr(file, "raw", file), io.FileIO)


def _length_of(descriptor: int, start: int) -> int:
    facts = os.fstat(descriptor)
    return max(facts.st_size - start, 0) if stat.S_ISREG(facts.st_mode) else _UNKNOWN


def _closing(descriptor: int) -> Finish:
    def finish(_succeeded: bool) -> None:
        os.close(descriptor)

    return finish


def _shared(file: IO[bytes]) -> tuple[int, int, Finish]:
    """An open file from where it stands; afterwards it stands behind what went through."""
    descriptor = os.dup(file.fileno())
    if not file.seekable():
        return descriptor, _UNKNOWN, _closing(descriptor)
    start, buffered_to = file.tell(), os.lseek(descriptor, 0, os.SEEK_CUR)
    os.lseek(descriptor, start, os.SEEK_SET)

    def finish(succeeded: bool) -> None:
        end = os.lseek(descriptor, 0, os.SEEK_CUR) if succeeded else start
        # Where its buffer believes to be, or it would read on from elsewhere.
        os.lseek(descriptor, buffered_to, os.SEEK_SET)
        os.close(descriptor)
        if not file.closed:
            file.seek(end)

    return descriptor, _length_of(descriptor, start), finish


def _spooled(source: IO[bytes]) -> tuple[int, int, Finish]:
    """A file without a descriptor, read to its end first."""
    spool = tempfile.TemporaryFile(buffering=0)
    try:
        shutil.copyfileobj(source, spool)
        length = spool.tell()
        spool.seek(0)
    except BaseException:
        spool.close()
        raise
    return spool.fileno(), length, lambda _succeeded: spool.close()


def _handed_on(sink: IO[bytes]) -> tuple[int, Finish]:
    """A file without a descriptor, which gets the whole or nothing."""
    spool = tempfile.TemporaryFile(buffering=0)

    def finish(succeeded: bool) -> None:
        with spool:
            if succeeded:
                spool.seek(0)
                shutil.copyfileobj(spool, sink)

    return spool.fileno(), finish


def _at_path(path: str) -> tuple[int, Finish]:
    """A file that is there once it is whole; what is no regular file is written to at once."""
    flags = os.O_WRONLY | getattr(os, "O_CLOEXEC", 0)
    if os.path.exists(path) and not os.path.isfile(path):
        descriptor = os.open(path, flags)
        return descriptor, _closing(descriptor)
    part = f"{path}.{secrets.token_hex(4)}.part"
    descriptor = os.open(part, flags | os.O_CREAT | os.O_EXCL, 0o666)

    def finish(succeeded: bool) -> None:
        os.close(descriptor)
        if succeeded:
            os.replace(part, path)
        else:
            os.unlink(part)

    return descriptor, finish
