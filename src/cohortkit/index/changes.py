"""What differs between what lies in an archive and what an index knows of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import polars as pl

from cohortkit.dicom.members import SEPARATOR
from cohortkit.index.batch import Batch
from cohortkit.index.columns import INSTANCES, ISSUES, LISTING, READ, SKIPPED
from cohortkit.index.folder import ROW, Part, placed
from cohortkit.reasons import Reason

FILE: Final = list(LISTING)
PART: Final = "__part"
NOT_OPENED: Final = [str(Reason.NOT_A_FILE), str(Reason.FILE_NAME)]
"""Reasons that the walk itself gives."""

TRY_AGAIN: Final = [str(Reason.UNREADABLE_FILE), str(Reason.INTERNAL), str(Reason.WORKER_DIED)]
"""Reasons for which the next scan opens the file again."""

_WAS: Final = "__was"
_KNOWN: Final = pl.Schema(
    {
        **LISTING,
        "digest": pl.String(),
        "reason": pl.String(),
        PART: pl.String(),
        ROW: pl.UInt32(),
    }
)
_INTO: Final = [str(Reason.NOT_DICOM), str(Reason.CONTAINER), str(Reason.CONTAINER_DAMAGED)]
"""Reasons that hang on whether a scan looks into containers."""


Digests = Callable[[pl.DataFrame], pl.Series]
"""Makes the digest of each of some files, null where one cannot be read."""


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
        again: files that lie elsewhere, or with another time, as the digest of all they hold
            tells: as they are, with the part and the place of the row that tells of them.
        stale: for each source of what is known, its files that are gone or changed, with the part
            and the place of the row that tells of them.
        gone: how many of those of the first source are gone.
        unchanged: how many files hold what they held.
    """

    fresh: pl.DataFrame
    again: pl.DataFrame
    stale: tuple[pl.DataFrame, ...]
    gone: int
    unchanged: int


def compare(
    files: pl.DataFrame,
    store: Path,
    sources: Sequence[Tables],
    digests: Digests | None = None,
    *,
    anew: bool = False,
    other: bool = False,
) -> Change:
    """Compare a listing with the files that are known, by path, size and time.

    With digests a file is known by these as well: what has no digest yet is to be read.

    Args:
        files: what lies there.
        store: where the sources are.
        sources: a version, and what an interrupted scan has left.
        digests: makes digests of files, where these are asked for.
        anew: nothing that the version knows counts: every file is to be read.
        other: this scan looks into containers and the version's did not, or the reverse: what may
            be one is to be read.
    """
    fresh, stale, gone = files, [], []
    for number, source in enumerate(sources):
        known, members = _split(_known(store, source))
        doubted = known.clear()
        if (anew or other) and not number:
            unsure = pl.lit(anew) | pl.col("reason").is_in(_INTO).fill_null(value=False)
            known, doubted = known.filter(~unsure), known.filter(unsure)
        fresh, lost = _apart(fresh, known, digests)
        lost = pl.concat([lost, doubted])
        gone.append(lost.join(fresh, on="path", how="anti").height)
        stale.append(pl.concat([lost, _without_container(members, known, lost)]))
    again = fresh.clear().with_columns(pl.lit("").alias(PART), pl.lit(0, pl.UInt32).alias(ROW))
    if digests is not None and not anew:
        again = _elsewhere(fresh, pl.concat(stale), digests)
        fresh = fresh.join(again, on="path", how="anti")
    return Change(fresh, again, tuple(stale), gone[0], files.height - fresh.height)


def _split(known: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Files, and what lies in containers."""
    inside = pl.col("path").str.contains(SEPARATOR, literal=True)
    return known.filter(~inside), known.filter(inside)


def _without_container(
    members: pl.DataFrame, known: pl.DataFrame, lost: pl.DataFrame
) -> pl.DataFrame:
    """Members of containers that are not there any more as they were."""
    if members.is_empty():
        return members
    boxes = known.filter(pl.col("reason") == str(Reason.CONTAINER))
    held = boxes.join(lost, on=[PART, ROW], how="anti")["path"]
    box = pl.col("path").str.split(SEPARATOR).list.first()
    return members.filter(~box.is_in(held.implode()))


def _elsewhere(fresh: pl.DataFrame, stale: pl.DataFrame, digests: Digests) -> pl.DataFrame:
    """Files whose bytes are those of an object that is no more where it was, or as old."""
    objects = stale.filter(
        pl.col("digest").is_not_null() & pl.col(PART).str.starts_with("instances-")
    ).unique(["size", "digest"], keep="first", maintain_order=True)
    maybe = fresh.join(objects, on="size", how="semi")
    maybe = maybe.with_columns(digests(maybe))
    return maybe.join(objects, on=["size", "digest"]).select(*FILE, PART, ROW).sort("path")


def _apart(
    files: pl.DataFrame, known: pl.DataFrame, digests: Digests | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
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
    if digests is not None:
        same &= theirs["digest"].is_not_null()
        held = mine.filter(same)
        both, theirs = both.filter(same), theirs.filter(same)
        same = digests(held).eq_missing(theirs["digest"])
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
            placed(store, part, INSTANCES).select(*FILE, "digest", _none, _name(part), ROW)
            for part in source.of("instances")
        ),
        *(
            read_before(store, part).select(*FILE, "digest", "reason", _name(part), ROW)
            for part in source.of("skipped")
        ),
    ]
    return pl.concat([pl.LazyFrame(schema=_KNOWN), *parts]).collect()


_none: Final = pl.lit(None, pl.String()).alias("reason")


def _name(part: Part) -> pl.Expr:
    return pl.lit(part.file).alias(PART)


def read_before(store: Path, part: Part) -> pl.LazyFrame:
    """The files that were opened, are no instances, and will not be on a second look."""
    skipped = placed(store, part, SKIPPED)
    return skipped.filter(~pl.col("reason").is_in([*NOT_OPENED, *TRY_AGAIN]))


def told_again(store: Path, sources: Sequence[Tables], again: pl.DataFrame) -> Iterator[Batch]:
    """What the rows of files that lie elsewhere say, of where these lie now.

    Args:
        store: where the sources are.
        sources: as they were compared.
        again: of ``Change``.
    """
    for source in sources:
        for part in source.of("instances"):
            here = again.filter(pl.col(PART) == part.file).drop(PART)
            if here.is_empty():
                continue
            told = placed(store, part, INSTANCES).filter(pl.col(ROW).is_in(here[ROW].implode()))
            rows = here.join(told.rename({"path": _WAS}).drop(FILE[1:]).collect(), on=ROW)
            issues = _issues(store, source, rows[_WAS]).rename({"path": _WAS})
            issues = rows.select("path", _WAS).join(issues, on=_WAS).select(*ISSUES)
            yield Batch(rows.select(*READ), pl.DataFrame(schema=SKIPPED), issues)


def _issues(store: Path, source: Tables, paths: pl.Series) -> pl.DataFrame:
    rows = [
        placed(store, part, ISSUES).filter(pl.col("path").is_in(paths.implode())).drop(ROW)
        for part in source.of("issues")
    ]
    return pl.concat([pl.LazyFrame(schema=ISSUES), *rows]).collect()
