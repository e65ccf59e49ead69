"""deid with its default recipe, and without private tags."""

from __future__ import annotations

from pathlib import Path

import frame
from deid.dicom import replace_identifiers
from deid.dicom.fields import _get_fields_inner


def one(source: Path, target: Path) -> None:
    """Read, replace, write. Its cache of every dataset is emptied, or memory runs out."""
    [dataset] = replace_identifiers([str(source)], save=False, remove_private=True)
    dataset.save_as(target)
    _get_fields_inner.cache_clear()


if __name__ == "__main__":
    frame.run(frame.each(one))
