"""Files that other programs watch: replaced whole or not at all."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def replace_file(path: "Path", text: str) -> "Path":
    """Writes text as UTF-8 so that a reader sees the old file or the new one, never a part.

    Lone surrogates, which UTF-8 cannot carry, become question marks.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_bytes(text.encode("utf-8", "replace"))
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    return path
