"""Cohortkit with text cleaned and not removed: descriptions (113105), and what no table lists."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cohortkit_export
import frame


def many(sources: Sequence[Path], target: Path) -> dict[str, str]:
    """A folder in, a folder out."""
    return cohortkit_export.export(sources, target, ("clean-descriptors",), unlisted="clean")


if __name__ == "__main__":
    frame.run(many)
