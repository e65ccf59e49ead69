"""Proving a finished export again, from key, index and archive."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

from cohortkit import given
from cohortkit.deidentify.idtable import IdTable
from cohortkit.deidentify.keyfile import Key
from cohortkit.errors import KeyFileError, OutputError, Refusal, TaskFailure, UsageError
from cohortkit.index import open_index
from cohortkit.model import Record, Task
from cohortkit.protocols import Index, Pseudonyms, Source, Writer
from cohortkit.run.about import About
from cohortkit.run.attest import doubts
from cohortkit.run.finish import finish
from cohortkit.run.identity import people_of, same_table, table_of
from cohortkit.run.place import Place, cause, files_under
from cohortkit.run.recall import about_of, recall
from cohortkit.run.searching import ours_of, patterns_of, scan, scan_all, told_of
from cohortkit.run.settings import KEYED, of_export
from cohortkit.run.shelf import Shelf, residual_of
from cohortkit.sources.located import Located
from cohortkit.traces.patterns import Patterns, Rule
from cohortkit.verify.canary import canary
from cohortkit.verify.checks import Wrong, compare
from cohortkit.verify.said import unsaid
from cohortkit.verify.search import NOBODY, Hit, Ours, scan_rows
from cohortkit.writers import writer

_SIGNATURE = 6
_PACKED = "packed in a way that is not read here; unpack it and name what is in it"
_UTF_16 = "text in UTF-16; save it as UTF-8"
_UNREAD = {
    b"PK\x03\x04": _PACKED,
    b"7z\xbc\xaf": _PACKED,
    b"Rar!": _PACKED,
    b"\xfd7zXZ": _PACKED,
    b"BZh": _PACKED,
    b"\x28\xb5\x2f\xfd": _PACKED,
    b"%PDF": "a PDF, whose text is not read here; name the text itself",
    b"\xff\xfe": _UTF_16,
    b"\xfe\xff": _UTF_16,
}
"""How files begin that would be searched in vain."""

_PAGES = ("report.html", "export.json")


@dataclass(frozen=True, slots=True)
class Verified:
    """What a verification found.

    Attributes:
        wrong: files that are missing, changed, or in no record, and objects that do not say what
            was done to them.
        hits: (file or table, hit): a source identity in the release; the kind, never the value.
        unchecked: series that were not searched: their source could not be read again.
        elsewhere: how many of these the index does not hold.
        searched: whether an index was given, so that identities could be searched for.
        log: what is wrong with the vault's audit log, in words.
        log_lines: how many lines it has.
        log_head: the seal of its last line; noted elsewhere, it proves later that none was lost.
    """

    root: Path
    files: int
    wrong: tuple[Wrong, ...]
    hits: tuple[tuple[str, Hit], ...]
    series: int
    patients: int
    patterns: int
    bytes: int
    unchecked: int
    searched: bool
    elsewhere: int = 0
    log: tuple[str, ...] = ()
    log_lines: int = 0
    log_head: str = ""

    @property
    def ok(self) -> bool:
        """Nothing wrong was found, and nothing was left unsearched that was asked for."""
        return not (self.wrong or self.hits or self.unchecked or self.log)

    def summary(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return {
            "release": str(Place(self.root).release),
            "ok": self.ok,
            "files": self.files,
            "wrong": [{"path": one.path, "fault": str(one.fault)} for one in self.wrong],
            "hits": [
                {"file": name, "place": hit.place, "kind": str(hit.kind)} for name, hit in self.hits
            ],
            "searched": self.searched,
            "patients": self.patients,
            "series": self.series,
            "patterns": self.patterns,
            "bytes": self.bytes,
            "unchecked": self.unchecked,
            "elsewhere": self.elsewhere,
            "log": list(self.log),
            "log_lines": self.log_lines,
            "log_head": self.log_head,
        }

    def _lines(self) -> Iterator[str]:
        yield f"{self.files:,} files read, {len(self.wrong):,} not as they were written"
        yield from (f"  {one.path}: {one.fault}" for one in self.wrong)
        if self.wrong:
            yield "to mend: delete the files that are named here, and run the same export again"
        if self.log:
            yield "the vault's audit log (audit.jsonl) was tampered with, or is not of this release"
            yield from (f"  {words}" for words in self.log)
        else:
            yield f"{self.log_lines:,} lines of the audit log hold, up to {self.log_head}"
        if not self.searched:
            yield "not searched for identities: that needs the index"
            return
        yield (
            f"{self.patients:,} patients, {self.series:,} series, {self.patterns:,} spellings "
            f"searched for in {self.bytes:,} bytes: {len(self.hits):,} found"
        )
        yield from (f"  {name}: {hit.kind} in {hit.place}" for name, hit in self.hits)
        if self.elsewhere:
            yield f"{self.elsewhere:,} series are not in this index: was the export made from it?"
        if self.unchecked > self.elsewhere:
            unread = self.unchecked - self.elsewhere
            yield f"{unread:,} series could not be searched: their source is not readable"

    def __str__(self) -> str:
        return "\n".join(("in order" if self.ok else "NOT IN ORDER", *self._lines()))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


def verify(
    out: str | Path,
    key: Key,
    index: Index | str | Path | None = None,
    *,
    source: Source | None = None,
    ids: IdTable | None = None,
    also: Iterable[str | Path] = (),
) -> Verified:
    """Read a whole release again: digests, records, and a search for every source identity.

    Args:
        out: the folder of the export.
        key: the key it was made with.
        index: the index it was made from, to search for identities; without it only files are
            compared.
        source: where objects come from; default: wherever the index says.
        ids: the table of random ids, where it was made with one and identities are searched for.
        also: files that are to leave beside the release, such as a notebook or a log. They are
            searched for what cannot stand in them by chance: full names, ids, UIDs, paths.

    Raises:
        OutputError: no finished export, or a file of ``also`` that is not there.
        KeyFileError: another key.
        IdTableError: another table, or none.
        CohortkitError: the search missed its planted canary.
    """
    root = given.path("output", out, OutputError)
    if not isinstance(key, Key):
        raise KeyFileError("key: the key it was made with, as ck.Key.from_file gives it")
    if index is not None and not isinstance(index, str | Path):
        given.a(Index, "index", index, "the index it was made from, or its path")
    given.a(IdTable | None, "ids", ids, "the table of random ids it was made with")
    if source is not None:
        given.a(Source, "source", source, "where objects come from")
    canary()
    place = Place(root)
    settings = of_export(place, str(out), key)
    seen, log = doubts(place, key.pseudonyms())
    table_of(settings.body.get("ids", KEYED), ids, str(out), needed=index is not None)
    opened = open_index(index) if isinstance(index, str | Path) else index
    try:
        about = about_of(place, str(out))
        records = Shelf.on(place)
        finished = finish(records, about, _writers(about))
        artifacts = (one for record in records.rowless() for one in record.artifacts)
        present = list(files_under(place.release))
        wrong = compare(place.release, present, artifacts, finished)
        wrong += tuple(unsaid(place.release, records.rowless()))
        same_table(ids, records.bare, str(out))
        made = key.pseudonyms() if ids is None else ids.pseudonyms(key)
        beside = _beside(also)
        search = _Search(place, made, source or Located(), about.default_issuer, beside)
        if opened is not None:
            search.all(opened, records)
    except OSError as error:
        raise OutputError(f"output {out}: {cause(error)}") from None
    return Verified(
        root=place.root,
        files=len(present),
        wrong=tuple(sorted(set(wrong))),
        hits=tuple(sorted(set(search.hits))),
        series=search.series,
        patients=len(search.patients),
        patterns=search.patterns,
        bytes=search.bytes,
        unchecked=search.unchecked,
        elsewhere=search.elsewhere,
        searched=opened is not None,
        log=log,
        log_lines=seen.lines,
        log_head=seen.head,
    )


def _writers(about: About) -> list[Writer]:
    """The writers as they were; one that did not ship writes no tables of its own."""
    found = []
    for options in about.outputs:
        given = {name: value for name, value in options.items() if name != "name"}
        try:
            found.append(type(writer(options["name"]))(**given))
        except UsageError:
            continue
    return found


def _beside(also: Iterable[str | Path]) -> list[Path]:
    if isinstance(also, str | Path) or not isinstance(also, Iterable):
        raise UsageError("also: the paths of files, in a list")
    found = [given.path("also", one) for one in also]
    for path in found:
        if not path.is_file():
            raise OutputError(f"to be searched as well: {path} is no file")
        with path.open("rb") as file:
            start = file.read(_SIGNATURE)
        for kind, what in _UNREAD.items():
            if start.startswith(kind):
                raise OutputError(f"to be searched as well: {path} is {what}")
    return found


class _Search:
    """The running counts of a search over all records."""

    def __init__(
        self,
        place: Place,
        pseudonyms: Pseudonyms,
        source: Source,
        issuer: str,
        beside: Iterable[Path],
    ) -> None:
        self.beside = tuple(beside)
        self.place, self.source, self.issuer = place, source, issuer
        self.pseudonyms = pseudonyms
        self.hits: list[tuple[str, Hit]] = []
        self.patients: set[str] = set()
        self.series = self.patterns = self.bytes = self.unchecked = self.elsewhere = 0

    def all(self, index: Index, records: Shelf) -> None:
        """Search what every record left, for the identities in its source."""
        wanted = {one.task for one in records.bare if one.statement is not None}
        people = people_of(self.place)
        tasks = recall(index, wanted, self.pseudonyms, self.issuer, people)
        for record in records:
            task = tasks.get(record.task)
            if record.task not in wanted:
                continue
            if task is None:
                self.unchecked += 1
                self.elsewhere += 1
            else:
                self.one(task, record)

    def one(self, task: Task, record: Record) -> None:
        """Search for one series."""
        statement, names = record.statement, record.names
        assert statement is not None
        assert names is not None
        try:
            with self.scratch() as scratch:
                headers = [one.header for one in self.source.fetch(task, scratch)]
            patterns = patterns_of(headers, task, self._kept(record.task), statement)
        except (TaskFailure, Refusal):
            self.unchecked += 1
            return
        ours = ours_of(statement, names, (one.output for one in record.artifacts))
        tables = {**record.rows, **told_of(record.outcomes, record.artifacts)}
        rows = scan_rows(patterns, tables, ours=ours)
        self.bytes += rows.bytes
        self.hits += [(hit.place, hit) for hit in rows.hits]
        self._files(patterns, [one.path for one in record.artifacts], ours)
        self._files(_long(patterns), _PAGES, ours)
        for path in self.beside:
            found = scan(_long(patterns), path.parent, path.name, NOBODY)
            self.bytes += found.bytes
            self.hits += [(path.name, hit) for hit in found.hits]
        self.series += 1
        self.patterns += len(patterns)
        self.patients.add(names.patient)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Where what is brought here lies, as long as it is read."""
        folder = self.place.fetched / f"verify-{os.getpid()}"
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            with suppress(OSError):  # others are at work there
                self.place.fetched.rmdir()

    def _files(self, patterns: Patterns, names: Iterable[str], ours: Ours) -> None:
        there = [name for name in names if (self.place.release / name).is_file()]
        looked, hits = scan_all(patterns, self.place.release, there, ours)
        self.bytes += looked
        self.hits += hits

    def _kept(self, task: str) -> frozenset[str]:
        body: Mapping[str, Any] = json.loads(residual_of(self.place, task).read_bytes())
        return frozenset(body["kept"])


def _long(patterns: Patterns) -> Patterns:
    """What cannot stand by chance in a page about many patients: no words, dates, short ids."""
    kept = tuple(one for one in patterns.items if one.rule in {Rule.ANYWHERE, Rule.UID})
    return replace(patterns, items=kept)
