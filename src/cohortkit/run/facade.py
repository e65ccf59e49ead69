"""What an export holds, read from its release: counts, tables, reasons."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import Any

import polars as pl

from cohortkit import given
from cohortkit.errors import OutputError, UsageError
from cohortkit.model import Status
from cohortkit.places import MANIFEST
from cohortkit.run.place import Place, cause
from cohortkit.run.resume import Increment
from cohortkit.run.shards import Part

ALL_DONE, SOME_FAILED, NOTHING_WRITTEN = 0, 3, 4


def open_export(out: str | Path) -> Export:
    """A finished export again, as ``export`` gave it. Nothing is written, and no key is needed.

    Args:
        out: the folder of the export, or a release that was sent away without its vault.

    Raises:
        OutputError: there is no finished export.
    """
    found = Export(Path(os.path.realpath(given.path("output", out, OutputError))))
    try:
        found.manifest  # noqa: B018 - it is there and can be read
    except OutputError:
        raise OutputError(
            f"output {out}: there is no finished export; status tells of one that is not finished"
        ) from None
    return found


@dataclass(frozen=True, repr=False)
class Export:
    """A finished export. Everything that it shows is in the release and names nobody.

    Attributes:
        root: the output folder.
        part: what this run has done, where the export is not finished yet.
        increment: what was new to this run, done again, withdrawn, and done before it.
    """

    root: Path
    part: Part | None = None
    increment: Increment | None = None

    @property
    def release(self) -> Path:
        """The folder that may leave."""
        inside = Place(self.root).release
        return inside if inside.is_dir() or not (self.root / MANIFEST).is_file() else self.root

    @property
    def manifest(self) -> dict[str, Any]:
        """``export.json``.

        Raises:
            OutputError: there is no finished export.
        """
        try:
            body: dict[str, Any] = json.loads((self.release / "export.json").read_bytes())
            body["counts"]  # else it is another file of that name: the vault's
        except (OSError, ValueError, LookupError, TypeError):
            told = "" if self.part is None else f": {self.part.words}"
            raise OutputError(f"no finished export in {self.root}{told}") from None
        return body

    def table(self, name: str) -> pl.DataFrame:
        """A table of the release: ``files``, ``tasks``, or a released table such as ``series``.

        Raises:
            UsageError: no such table; the message names those that are there.
        """
        paths = {path.stem: path for path in sorted(self.release.glob("*.parquet"))}
        paths |= {path.stem: path for path in sorted(self.release.glob("tables/*.parquet"))}
        given.a(str, "table", name, "the name of one, such as 'files'")
        if name not in paths:
            raise UsageError(f"no table {name!r} here; there are {', '.join(sorted(paths))}")
        try:
            return pl.read_parquet(paths[name])
        except OSError as error:
            raise OutputError(f"table {name}: {cause(error)}") from None

    def counts(self) -> pl.DataFrame:
        """By output and level: in = written + refused + failed + not applicable + duplicate."""
        numbers = ["in", *map(str, Status)]
        schema = {"output": pl.String, "level": pl.String, **dict.fromkeys(numbers, pl.Int64)}
        return pl.DataFrame(self.manifest["counts"], schema=pl.Schema(schema))

    def refused(self) -> pl.DataFrame:
        """What was held back, with the reason in words: a row for each series and output."""
        return self._ended(Status.REFUSED)

    def failed(self) -> pl.DataFrame:
        """What could not be done this time; the same command tries again."""
        return self._ended(Status.FAILED)

    def _ended(self, status: Status) -> pl.DataFrame:
        return self.table("tasks").filter(pl.col("status") == str(status)).drop("task")

    @property
    def exit_code(self) -> int:
        """0 all written or refused by name, 3 some failed, 4 nothing written.

        Of a shard that is not the last: 0 its part is done, 3 some of it failed. Of a run that was
        stopped before its end: 3.
        """
        if self.part is not None:
            return SOME_FAILED if self.part.failed or self.part.stopped else ALL_DONE
        lines = [line for line in self.manifest["counts"] if line["level"] == "instance"]
        if any(line[str(Status.FAILED)] for line in lines):
            return SOME_FAILED
        return ALL_DONE if any(line[str(Status.WRITTEN)] for line in lines) else NOTHING_WRITTEN

    @property
    def empty(self) -> str:
        """Why nothing was written, in words; empty text if something was."""
        manifest = self.manifest
        if not manifest["planned"]["series"]:
            return "nothing was asked for: the cohort held no series"
        if self.exit_code == NOTHING_WRITTEN:
            return "nothing was written; refused() and failed() say why"
        return ""

    def summary(self) -> dict[str, Any]:
        """One line's worth for a log or a scheduler."""
        if self.part is not None:
            return {**asdict(self.part), "this_run": self._run(), "exit_code": self.exit_code}
        manifest = self.manifest
        return {
            "release": str(self.release),
            "recipe": manifest["recipe"]["name"],
            "key_id": manifest["key_id"],
            "planned": manifest["planned"],
            "counts": [line for line in manifest["counts"] if line["level"] == "series"],
            "reasons": [line for line in manifest["reasons"] if line["reason"] is not None],
            "searched": manifest["searched"],
            "this_run": self._run(),
            "exit_code": self.exit_code,
        }

    def _run(self) -> dict[str, int] | None:
        return None if self.increment is None else asdict(self.increment)

    def __repr__(self) -> str:
        if self.part is not None:
            return f"Export in {self.root}\n  {self.part.words}"
        lines = [f"Export in {self.root}"]
        if self.empty:
            lines.append("  " + self.empty)
        for line in self.manifest["counts"]:
            if line["level"] == "series":
                told = ", ".join(f"{line[str(one)]:,} {one}" for one in Status if line[str(one)])
                lines.append(f"  {line['output']:<8} {line['in']:,} series: {told}")
        lines += [
            f"  {line['output']:<8} {line['status']}: {line['series']:,} series, {line['reason']}"
            for line in self.manifest["reasons"]
            if line["reason"] is not None
        ]
        if self.increment is not None:
            lines.append(f"  this run: {self.increment.words}")
        lines.append(f"  look at {self.release / 'report.html'}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        if self.part is not None:
            return f"<p>{escape(self.part.words)}</p>"
        counts = self.counts()
        head = "".join(f"<th>{escape(name)}</th>" for name in counts.columns)
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>"
            for row in counts.iter_rows()
        )
        place = escape(str(self.release / "report.html"))
        empty = f"<p>{escape(self.empty)}</p>" if self.empty else ""
        return f"{empty}<table><tr>{head}</tr>{rows}</table><p>{place}</p>"
