"""Puts the library and the plugins into the wheel.

Holds: the hook that hatchling runs for `pip install ./ffi/python` and for wheels.
Promises: the wheel's tag says which glibc the libraries really need; what others may write is not packed.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# The plugins that come with the package, by their ids.
PLUGINS = ("connectwise",)

# What every Linux with glibc has; a library that needs more gets no manylinux tag.
EVERYWHERE = ("libc.so.", "libm.so.", "libdl.so.", "libpthread.so.", "librt.so.", "libgcc_s.so.", "ld-linux")


class NativeHook(BuildHookInterface[Any]):
    """Builds, or takes what PSA_HOST_LIBRARY_DIR has."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        checkout = Path(self.root).parents[1]
        if self.target_name == "sdist":
            raise RuntimeError(
                "psa-host has no sdist: its library is the Rust workspace around this folder. "
                "Build a wheel from a checkout: pip wheel --no-deps ./ffi/python"
            )
        if not (checkout / "ffi" / "Cargo.toml").is_file():
            raise RuntimeError(f"{self.root} was taken out of its checkout: the library is built from ffi/ around it.")
        self.built = tempfile.TemporaryDirectory(prefix="psa-host-built-")
        given = os.environ.get("PSA_HOST_LIBRARY_DIR")
        built = Path(given) if given else cargo(checkout, Path(self.built.name))
        editable = version == "editable"
        self.folder = None if editable else tempfile.TemporaryDirectory(prefix="psa-host-wheel-")
        place = Path(self.root, "src", "psa_host") if self.folder is None else Path(self.folder.name)
        packed = pack(built, place)
        if not editable:
            build_data["force_include"].update({str(path): f"psa_host/{path.relative_to(place)}" for path in packed})
            licences = sorted(checkout.glob("LICENSE-*"))
            build_data["force_include"].update({str(path): f"psa_host/{path.name}" for path in licences})
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform_tag(packed)}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        self.built.cleanup()
        if self.folder is not None:
            self.folder.cleanup()


def cargo(checkout: Path, folder: Path) -> Path:
    """Builds what ships; the folder it is in."""
    if shutil.which("cargo") is None:
        raise RuntimeError("psa-host is built with cargo, which is not there: https://rustup.rs has it.")
    if sys.platform == "linux":
        subprocess.run(["cargo", "xtask", "library", "--out", folder], cwd=checkout, check=True)
        return folder
    packages = ["psa-ffi", *(f"psa-{plugin}" for plugin in PLUGINS)]
    arguments = [f"--package={package}" for package in packages]
    subprocess.run(["cargo", "build", "--release", "--locked", *arguments], cwd=checkout, check=True)
    metadata = ["cargo", "metadata", "--format-version", "1", "--no-deps"]
    told = subprocess.run(metadata, cwd=checkout, check=True, stdout=subprocess.PIPE).stdout
    return Path(json.loads(told)["target_directory"], "release")


def pack(built: Path, place: Path) -> list[Path]:
    """Copies the library and the plugins to where the package looks for them; the copies."""
    names = {"darwin": ("lib", ".dylib"), "win32": ("", ".dll")}
    prefix, suffix = names.get(sys.platform, ("lib", ".so"))
    wanted = {f"_lib/{prefix}psa_host{suffix}": [f"{prefix}psa_host{suffix}"]}
    for plugin in PLUGINS:
        name = f"psa_{plugin}{suffix}"
        wanted[f"plugins/{name}"] = [f"plugins/{name}", name, f"{prefix}{name}"]
    packed: list[Path] = []
    for to, sources in wanted.items():
        source = next((built / name for name in sources if (built / name).is_file()), None)
        if source is None:
            raise RuntimeError(f"{built} has no {sources[0]}: build it, or let PSA_HOST_LIBRARY_DIR name its folder.")
        target = place / to
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        # The host loads no plugin that somebody else could have written.
        target.chmod(0o755)
        packed.append(target)
    return packed


def platform_tag(libraries: list[Path]) -> str:
    """Where the wheel can be installed."""
    plain = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    if sys.platform != "linux":
        return plain
    versions = {(2, 17)}
    for library in libraries:
        with library.open("rb") as file:
            elf = ELFFile(file)
            needed = [tag.needed for tag in elf.get_section_by_name(".dynamic").iter_tags("DT_NEEDED")]
            if not all(name.startswith(EVERYWHERE) for name in needed):
                return plain
            versions.update(glibc_versions(elf))
    major, minor = max(versions)
    return f"manylinux_{major}_{minor}_{platform.machine()}"


def glibc_versions(elf: ELFFile) -> set[tuple[int, int]]:
    """The versions of glibc whose symbols are needed."""
    found: set[tuple[int, int]] = set()
    for section in elf.iter_sections():
        if isinstance(section, GNUVerNeedSection):
            for _, symbols in section.iter_versions():
                for symbol in symbols:
                    if symbol.name.startswith("GLIBC_2."):
                        major, minor = symbol.name.removeprefix("GLIBC_").split(".")[:2]
                        found.add((int(major), int(minor)))
    return found
