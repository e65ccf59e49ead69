"""Processes that start as those of an installed package do: with their byte code compiled.

``pip`` compiles what it installs. ``uv`` does not, and where ``PYTHONDONTWRITEBYTECODE`` is set or
the folders cannot be written to, every process compiles each module that it imports, anew: that
takes three times as long as the rest of its start, and says nothing of the program.
"""

from __future__ import annotations

import os
from pathlib import Path


def keep_byte_code(folder: Path) -> None:
    """Have this process's children keep their byte code in a folder; the first one fills it."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder)
