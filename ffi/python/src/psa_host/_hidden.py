"""Structs that hold secrets print without them."""

from __future__ import annotations

import msgspec


def hidden(struct: msgspec.Struct, *names: str) -> str:
    """The struct as text that shows whether these fields are set, and not what they are."""

    def shown(name: str) -> str:
        value = getattr(struct, name)
        return "…" if name in names and value else repr(value)

    fields = ", ".join(f"{name}={shown(name)}" for name in struct.__struct_fields__)
    return f"{type(struct).__name__}({fields})"
