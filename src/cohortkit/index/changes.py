"""What differs between what lies in an archive and what an index knows of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import polars as pl

from cohortkit.index.columns import INSTANCES, LISTING, SKIPPED
from cohortkit.index.folder import ROW, Part, placed
from cohortkit.reasons import Reason

FILE: Final = list(LISTING)
PART: Final = "__part"
NOT_OPENED: Final = [str(Reason.NOT_A_FILE), str(Reason.FILE_NAME)]
"""Reasons that the walk itself gives."""

TRY_AGAIN: Final = [str(Reason.UNREADABLE_FILE), str(Reason.INTERNAL), str(Reason.WORKER_DIED)]
"""Reasons for which the next scan opens the file again."""

_KNOWN: Final = pl.Schema({**LISTING, PART: pl.String(), ROW: pl.UInt32()})


class Tables(Protocol):
    """Parts by table: a version, or what an interrupted scan has left."""

    def of(self, table: str) -> list[Part]:
        """The parts of one table."""
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """What differs between a listing and what is known.

    Attributes:
        fresh: files to be read: new, changed, or to be tried again.
        stale: for each source of what is known, its files that are gone or changed, with the part
            and the place of the row that tells of them.
        gone: how many of those of the first source are gone.
        unchanged: how many files stay unopened.
    """

    fresh: pl.DataFrame
    stale: tuple[pl.DataFrame, ...]
    gone: int
    unchanged: int


def compare(
    files: pl.DataFrame, store: Path, sources: Sequence[Tables], *, anew: bool = False
) -> Change:
    """Compare a listing with the files that are known, by path, size and time.

    Args:
        files: what lies there.
        store: where the sources are.
        sources: a version, and what an interrupted scan has left.
        anew: nothing that the version knows counts: every file is to be read.
    """
    fresh, stale, gone = files, [], []
    for number, source in enumerate(sources):
        known = _known(store, source)
        fresh, lost = (fresh, known) if anew and not number else _apart(fresh, known)
        stale.append(lost)
        gone.append(lost.join(fresh, on="path", how="anti").height)
    return Change(fresh, tuple(stale), gone[0], files.height - fresh.height)


def _apart(files: pl.DataFrame, known: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What lies there and is not known so, and what is known and does not lie there so.

    Files are matched by a digest of a row, which is quick, and then held against each other as
    they are: a digest that two of them share brings them together, and no more.
    """
    if known.is_empty() or files.is_empty():
        return files, known
    here = files.select(pl.struct(FILE).hash().alias("digest")).with_row_index("here")
    there = known.select(pl.struct(FILE).hash().alias("digest")).with_row_index("there")
    both = here.join(there, on="digest").select("here", "there")
    mine, theirs = files[both["here"]], known[both["there"]]
    same = pl.Series([True], dtype=pl.Boolean).new_from_index(0, both.height)
    for name in FILE:
        same &= mine[name].eq_missing(theirs[name])
    both = both.filter(same)
    return (
        _without(files, both["here"]).sort("path"),
        _without(known, both["there"]),
    )


def _without(rows: pl.DataFrame, places: pl.Series) -> pl.DataFrame:
    out = pl.repeat(value=True, n=rows.height, dtype=pl.Boolean, eager=True)
    return rows.filter(out.scatter(places, values=False))


def _known(store: Path, source: Tables) -> pl.DataFrame:
    parts = [
        *(
            placed(store, part, INSTANCES).select(*FILE, _name(part), ROW)
            for part in source.of("instances")
        ),
        *(
            read_before(store, part).select(*FILE, _name(part), ROW)
            for part in source.of("skipped")
        ),
    ]
    return pl.concat([pl.LazyFrame(schema=_KNOWN), *parts]).collect()


def _name(part: Part) -> pl.Expr:
    return pl.lit(part.file).alias(PART)


def read_before(store: Path, part: Part) -> pl.LazyFrame:
    """The files that were opened, are no instances, and will not be on a second look."""
    skipped = placed(store, part, SKIPPED)
    return skipped.filter(~pl.col("reason").is_in([*NOT_OPENED, *TRY_AGAIN]))
