"""Files go up and down through descriptors, whatever they were given as."""

from __future__ import annotations

import asyncio
import gzip
import io
import os
import threading
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from scene import Simulator

import psa_host
from psa_host import errors

BYTES = os.urandom(200_000)


class Files:
    """Uploads to and downloads from a ticket."""

    def __init__(self, host: psa_host.Host, connection: str, ticket: str) -> None:
        self.host, self.connection, self.ticket = host, connection, ticket

    def add(self, source: Any) -> str:
        made = self.host.attachments.add(
            tenant="t",
            connection=self.connection,
            ticket=self.ticket,
            title="A file",
            file_name="a.bin",
            public=False,
            input=source,
        )
        return made.id

    def get(self, attachment: str, sink: Any) -> None:
        self.host.attachments.get(tenant="t", connection=self.connection, attachment=attachment, output=sink)

    def back(self, attachment: str) -> bytes:
        sink = io.BytesIO()
        self.get(attachment, sink)
        return sink.getvalue()


@pytest.fixture
def files(host: psa_host.Host, connection: str, ticket: str) -> Files:
    return Files(host, connection, ticket)


def test_bytes_come_back_as_they_went_in(files: Files) -> None:
    for source in (BYTES, bytearray(BYTES), memoryview(BYTES)):
        assert files.back(files.add(source)) == BYTES
    assert files.back(files.add(b"x")) == b"x"


def test_paths_and_open_files_go_up_from_where_they_stand(files: Files, tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(BYTES)
    assert files.back(files.add(path)) == BYTES
    assert files.back(files.add(str(path))) == BYTES
    with path.open("rb") as file:
        assert file.read(10) == BYTES[:10]
        assert files.back(files.add(file)) == BYTES[10:]
        assert file.read() == b""
    with path.open("rb", buffering=0) as raw:
        raw.seek(199_000)
        assert files.back(files.add(raw)) == BYTES[199_000:]


def test_files_whose_descriptor_has_other_bytes_are_read_by_python(files: Files, tmp_path: Path) -> None:
    packed = tmp_path / "a.gz"
    with gzip.open(packed, "wb") as file:
        file.write(BYTES)
    with gzip.open(packed, "rb") as file:
        assert files.back(files.add(file)) == BYTES


def test_a_pipe_is_read_to_its_end(files: Files) -> None:
    out, into = os.pipe()

    def fill() -> None:
        with os.fdopen(into, "wb") as file:
            file.write(BYTES)

    filler = threading.Thread(target=fill)
    filler.start()
    with os.fdopen(out, "rb") as file:
        assert files.back(files.add(file)) == BYTES
    filler.join()


def test_a_download_goes_to_a_path_or_an_open_file(files: Files, tmp_path: Path) -> None:
    attachment = files.add(BYTES)
    files.get(attachment, tmp_path / "there.bin")
    assert (tmp_path / "there.bin").read_bytes() == BYTES
    with (tmp_path / "open.bin").open("wb") as file:
        file.write(b"before ")
        files.get(attachment, file)
        file.write(b" after")
    assert (tmp_path / "open.bin").read_bytes() == b"before " + BYTES + b" after"


def test_of_a_download_that_failed_nothing_is_left(files: Files, tmp_path: Path, simulator: Simulator) -> None:
    sink = io.BytesIO()
    (tmp_path / "there.bin").write_bytes(b"old")
    for to in (tmp_path / "there.bin", tmp_path / "new.bin", sink):
        with pytest.raises(errors.NotFound):
            files.get("999999", to)
    assert os.listdir(tmp_path / "..").count("new.bin") == 0
    assert sorted(name for name in os.listdir(tmp_path) if "bin" in name) == ["there.bin"]
    assert (tmp_path / "there.bin").read_bytes() == b"old"
    assert sink.getvalue() == b""


def test_a_source_that_fails_is_the_callers_own_error(files: Files) -> None:
    class Broken(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, _buffer: Any) -> int:
            raise OSError("the scanner is out of paper")

    broken: BinaryIO = io.BufferedReader(Broken())
    with pytest.raises(OSError, match="out of paper"):
        files.add(broken)
    with pytest.raises(FileNotFoundError):
        files.add(Path("/nowhere/at/all"))


def test_streams_can_be_awaited(files: Files, host: psa_host.Host) -> None:
    async def there_and_back() -> bytes:
        asynchronous = psa_host.AsyncHost(host)
        added = await asynchronous.attachments.add(
            tenant="t",
            connection=files.connection,
            ticket=files.ticket,
            title="A file",
            file_name="a.bin",
            public=False,
            input=BYTES,
        )
        sink = io.BytesIO()
        await asynchronous.attachments.get(
            tenant="t", connection=files.connection, attachment=added.id, output=sink
        )
        return sink.getvalue()

    assert asyncio.run(there_and_back()) == BYTES


def descriptors() -> int:
    """How many are open, but for sockets: connections to the PSA come and go."""
    links = (f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd"))
    return sum(not os.readlink(link).startswith("socket:") for link in links if os.path.islink(link))


def test_descriptors_are_given_back(files: Files, tmp_path: Path) -> None:
    attachment = files.add(BYTES)
    before = descriptors()
    for _ in range(5):
        files.get(attachment, tmp_path / "x")
        files.get(attachment, io.BytesIO())
        files.add(tmp_path / "x")
        with pytest.raises(errors.PsaError):
            files.get("999999", io.BytesIO())
    assert descriptors() == before
