"""What is in a finished export: every distinct value of every attribute, how often, of how many.

For the privacy office, before it signs. What is written is on the vault's side: a table in
``vault/inventory/`` and a page, ``vault/inventory.html``, that begins with what is rare.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from cohortkit import given
from cohortkit.deidentify.dummies import KEYED
from cohortkit.errors import OutputError, unwritten
from cohortkit.model import Record
from cohortkit.release import page, survivors
from cohortkit.release.counting import SCHEMA, Cell, Values
from cohortkit.release.listing import Listing
from cohortkit.run.place import Place, cause, files_under, publish
from cohortkit.run.settings import read
from cohortkit.run.shelf import read_all

_TABLE, _PAGE = "inventory", "inventory.html"
_TEXT = frozenset({"LO", "SH", "ST", "LT", "UT", "UC", "PN", "UR", "AE", "text"})
_DATED = frozenset({"AS", "DA", "DT", "TM"})
_SHOWN = 20
_SCHEMA = pl.Schema([*SCHEMA.items(), ("ours", pl.Boolean())])
"""And whether it was made here: for an identifier, or of a file."""
_LISTED = ["files.path", "files.sha256", "files.size", "files.task", "tasks.task"]
_RELEASE = frozenset({"tasks.parquet", "files.parquet", "export.json"})


@dataclass(frozen=True, slots=True, repr=False)
class Inventory:
    """An inventory that was written. Its values are those of the release.

    Attributes:
        root: the folder of the export.
        files: how many were read.
        unread: files that could not be, relative to the release; look at them yourself.
        attributes: how many attributes have a value.
        values: how many distinct values there are.
    """

    root: Path
    files: int
    unread: tuple[str, ...]
    attributes: int
    values: int

    @property
    def page(self) -> Path:
        """The page in the vault."""
        return Place(self.root).vault / _PAGE

    def table(self) -> pl.LazyFrame:
        """A row a distinct value: source, attribute, vr, value, count, patients, anywhere, ours."""
        parts = sorted((Place(self.root).vault / _TABLE).glob("*.parquet"))
        return pl.scan_parquet(parts) if parts else pl.LazyFrame(schema=_SCHEMA)

    def rare(self, patients: int = 1) -> pl.DataFrame:
        """Values of so few patients: words first, then dates and ages, codes, numbers.

        What as many have in another attribute is not rare. What stands in for an identifier is
        left out: UIDs under 2.25, pseudonyms, a broker's codes, tokens; so is what a list of files
        says of each (``ours``).
        """
        return rare(self.table(), patients).collect(engine="streaming")

    def rarest(self, most: int) -> tuple[pl.DataFrame, int]:
        """The first rows of ``rare``, and how many there are."""
        found = rare(self.table(), 1)
        first = found.head(most).collect(engine="streaming")
        return first, found.select(pl.len()).collect(engine="streaming").item()

    def summary(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return {
            "page": str(self.page),
            "table": str(self.page.parent / _TABLE),
            "files": self.files,
            "unread": list(self.unread),
            "attributes": self.attributes,
            "values": self.values,
            "rare": self.rarest(0)[1],
        }

    def _lines(self) -> Iterator[str]:
        yield f"{self.files:,} files read: {self.values:,} values of {self.attributes:,} attributes"
        yield from (f"  NOT READ: {name}" for name in self.unread)
        found, count = self.rarest(_SHOWN)
        yield f"{count:,} of them in one patient alone; words first:"
        for row in found.iter_rows(named=True):
            yield f"  {row['source']} {row['attribute']}: {row['value']} ({row['count']:,})"
        if count > _SHOWN:
            yield f"  … and {count - _SHOWN:,} more"
        yield f"all of it: {self.page}"

    def __str__(self) -> str:
        return "\n".join(self._lines())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.page.read_text("utf-8")


def rare(table: pl.LazyFrame, patients: int) -> pl.LazyFrame:
    """The rows of so few patients, what may tell most first."""
    vr = pl.col("vr")
    rank = (
        pl.when(pl.col("patients") == 0).then(5)
        .when(vr.is_in(sorted(_TEXT))).then(0)
        .when(vr.is_in(sorted(_DATED))).then(1)
        .when(vr == "UI").then(2)
        .when(vr == "CS").then(3)
        .otherwise(4)
    )  # fmt: skip
    told = (pl.col("anywhere") <= patients) & (pl.col("value") != "") & ~pl.col("ours")
    ordered = table.filter(told).with_columns(rank.alias("rank"))
    return ordered.sort("rank", "count", "source", "attribute", "value").drop("rank")


def _ours(names: Collection[str]) -> pl.Expr:
    """Whether a value stands in for an identifier, or says where and how long a file is."""
    value, attribute = pl.col("value"), pl.col("attribute").str.extract(r"([A-Za-z0-9]+)$")
    new = (pl.col("vr") == "UI") & value.str.starts_with("2.25.")
    token = attribute.is_in(sorted(KEYED)) & value.str.contains(r"^[a-z2-7]{16}$")
    made = value.str.contains(r"^[psr][a-z2-7]{16}$")
    listed = (pl.col("source") == "release") & pl.col("attribute").is_in(_LISTED)
    return new | token | made | listed | value.is_in(sorted(names))


def inventory(out: str | Path) -> Inventory:
    """Count every distinct value that a finished export lets out.

    Objects are read but for their pixels, sidecars and headers of images whole, tables cell by
    cell. Memory does not grow with the release; disk does, in the vault, by the distinct values.

    Args:
        out: the folder of the export.

    Raises:
        OutputError: there is no finished export, or the vault cannot be written.
    """
    place = Place(given.path("output", out, OutputError))
    if read(place, str(out)) is None or not (place.release / "export.json").is_file():
        raise OutputError(f"output {out}: there is no finished export")
    try:
        with Values(place.vault / ".inventory.part") as values:
            count, unread, names = _count(place, values)
            return _write(place, values, count, unread, names)
    except OSError as error:
        raise unwritten(OutputError, f"output {out}: {cause(error)}", error) from None


def _count(place: Place, values: Values) -> tuple[int, tuple[str, ...], set[str]]:
    """How many files were read, which could not be, and the patients' names in the release."""
    read_, unread = 0, []
    with Listing(place.vault / ".inventory.files") as listing:
        for record in read_all(place, rows=False):
            listing.of(record.names.patient if record.names else "", _paths(record))
        listing.there(files_under(place.release))
        for name, whose in listing:
            try:
                for patient, cell in _cells(place.release / name, name, whose):
                    values.add(patient, cell)
                read_ += 1
            except survivors.Unread:
                unread.append(name)
        return read_, tuple(unread), listing.patients()


def _paths(record: Record) -> list[str]:
    return [one.path for one in record.artifacts]


def _cells(path: Path, name: str, patient: str) -> Iterator[tuple[str, Cell]]:
    """The values of one file, each with its patient.

    Raises:
        Unread: it cannot be read, or nothing here reads files of its kind.
    """
    top = name.split("/", maxsplit=1)[0]
    source = "release" if top in _RELEASE else top
    if path.is_symlink():
        raise survivors.Unread
    if path.suffix == ".parquet":
        yield from survivors.of_table(path, source)
    elif path.suffix == ".json":
        yield from ((patient, cell) for cell in survivors.of_json(path, source))
    elif path.suffix in survivors.READERS or top == "dicom":
        reader = survivors.READERS.get(path.suffix, survivors.of_object)
        yield from ((patient, cell) for cell in reader(path))
    elif path.suffix not in survivors.EMPTY_OF_VALUES and not _said_elsewhere(name):
        raise survivors.Unread


def _said_elsewhere(name: str) -> bool:
    """The report says what the manifest does, a CSV what the Parquet beside it does."""
    return name == "report.html" or (name.startswith("tables/") and name.endswith(".csv"))


def _write(
    place: Place, values: Values, files: int, unread: tuple[str, ...], names: set[str]
) -> Inventory:
    fresh, folder = place.vault / ".inventory.new", place.vault / _TABLE
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    total = 0
    for number, frame in enumerate(values.frames()):
        part = fresh / f"part-{number:05d}.parquet"
        frame.with_columns(ours=_ours(names)).write_parquet(part, compression="zstd")
        part.chmod(0o600)
        total += frame.height
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
    attributes = values.attributes()
    made = Inventory(place.root, files, unread, len(attributes), total)
    publish(place.vault / _PAGE, page.html(made, attributes, values).encode())
    return made
