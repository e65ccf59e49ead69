"""What a scan had read when it was interrupted, so that the next one reads the rest only.

Beside the manifest lies a record of the parts that a running scan has written. No reader looks at
it: the valid version is what the manifest names, and nothing else. The next scan takes these parts
over where they belong to the same archive and to the version that is still the valid one; file by
file it compares them with what lies there by then, as it does with the rows of a version.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from cohortkit.errors import StoreError, unwritten
from cohortkit.index.folder import FORMAT, Manifest, Part, part_of
from cohortkit.index.writer import Writer

NAME = "unfinished.json"
_KIND = "cohortkit unfinished scan"


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The parts that an interrupted scan has left.

    Attributes:
        base: the version that it began from; empty for the first scan.
        root: the archive.
        containers: whether it looked into tar and zip.
    """

    base: str
    root: str
    parts: tuple[Part, ...] = ()
    containers: bool = False

    def of(self, table: str) -> list[Part]:
        """The parts of one table."""
        return [part for part in self.parts if part.table == table]


def left_by(
    store: Path, manifest: Manifest | None, root: str, *, containers: bool = False
) -> Unfinished:
    """What can be taken over; without parts where there is nothing.

    A record that is damaged, or of another archive, version or way to scan, is nothing: the files
    it told of are read again.
    """
    nothing = Unfinished(manifest.version if manifest else "", root, (), containers)
    try:
        data = json.loads((store / NAME).read_bytes())
        if data["kind"] != _KIND or data["format"] != FORMAT:
            return nothing
        parts = tuple(part_of(part) for part in data["parts"])
        found = Unfinished(data["base"], data["root"], parts, data.get("containers", False))
    except (OSError, ValueError, KeyError, TypeError):
        return nothing
    whole = all(_is_whole(store, part) for part in found.parts)
    return found if replace(found, parts=()) == nothing and whole else nothing


def _is_whole(store: Path, part: Part) -> bool:
    try:
        return all((store / file).stat().st_size == size for file, size in part.files().items())
    except OSError:
        return False


def record(writer: Writer, before: Unfinished, parts: Sequence[Part]) -> None:
    """Say which parts are written by now, by one rename.

    Raises:
        StoreError: the store cannot be written.
    """
    data = {"kind": _KIND, "format": FORMAT, **asdict(before), "parts": [asdict(p) for p in parts]}
    writer.swap(NAME, json.dumps(data, sort_keys=True).encode())


def forget(store: Path) -> None:
    """Remove the record: its parts are in a version, or of no use."""
    try:
        (store / NAME).unlink(missing_ok=True)
    except OSError as error:
        raise unwritten(StoreError, "the index store cannot be written", error) from None
