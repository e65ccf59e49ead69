"""A job file before anything is done: every fault, each with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import TypeVar

import polars as pl

from cohortkit import given
from cohortkit.cohort.cohort import Cohort
from cohortkit.cohort.file import load
from cohortkit.cohort.join import read_ids
from cohortkit.cohort.narrow import demand_line
from cohortkit.cohort.query import parse
from cohortkit.cohort.terms import read_terms
from cohortkit.cohort.written import read_step
from cohortkit.deidentify.idtable import IdTable
from cohortkit.deidentify.keyfile import Key
from cohortkit.errors import JobError, RecipeError, UsageError
from cohortkit.index import StoreIndex, open_index, scan
from cohortkit.index.rollup import series_schema
from cohortkit.job.form import JobEntry, ListsEntry
from cohortkit.protocols import Writer
from cohortkit.recipe.file import load_recipe, shipped
from cohortkit.recipe.model import Recipe
from cohortkit.run.batch import demand_engine, workers_of
from cohortkit.run.identity import demand_ids, read_people
from cohortkit.run.limits import Limits
from cohortkit.run.pace import Pace
from cohortkit.run.place import check
from cohortkit.run.plan import outputs_of
from cohortkit.writers import writer

_ASKED = ("patients", "accessions", "studies", "series")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ready:
    """What an export needs, made from the file."""

    recipe: Recipe
    outputs: tuple[Writer, ...]
    key: Key
    out: Path
    pace: Pace
    ids: IdTable | None
    people: Path | None


class Checked:
    """A job file that is looked at: what can be made is made, and every fault is kept."""

    def __init__(self, folder: Path, entry: JobEntry, faults: list[str]) -> None:
        self.entry, self._faults = entry, faults
        self._folder = folder
        self._named = {fault.split(":")[0] for fault in self._faults}
        self._terms: dict[str, object] = {}

    def ready(self, said: str) -> Ready:
        """All of it, or every fault at once."""
        recipe = self._made("recipe", self._recipe)
        outputs = self._outputs()
        key = self._made("key", self._key)
        out = self._made("out", self._out)
        ids = self._made("ids", lambda: self._ids(recipe, key))
        people = self._made("people", lambda: self._people(recipe))
        pace = self._pace()
        self._run()
        self._source()
        self._made("digest", lambda: self._scanned(self.entry.digest))
        self._made("containers", lambda: self._scanned(self.entry.containers is not None))
        self._lists_there()
        if self._faults or None in (recipe, key, out):
            raise JobError(said, self._faults)
        assert recipe is not None
        assert key is not None
        assert out is not None
        return Ready(recipe, outputs, key, out, pace, ids, people)

    def cohort(self, *, progress: bool) -> Cohort:
        """What is asked for, of an index that is scanned first where an archive is named."""
        entry = self.entry
        if entry.cohort is not None:
            chosen = load(self._path(entry.cohort), open_index)
        else:
            assert entry.index is not None
            if entry.archive is not None:
                scan(
                    self._path(entry.archive),
                    self._path(entry.index),
                    digest=entry.digest,
                    containers=entry.containers,
                    progress=progress,
                )
            chosen = Cohort.start(open_index(self._path(entry.index)), **self._terms)
        if entry.only is not None:
            chosen = chosen.only(reason=entry.only.reason, **self._lists(entry.only))
        if entry.exclude is not None:
            chosen = chosen.exclude(reason=entry.exclude.reason, **self._lists(entry.exclude))
        for step in map(read_step, entry.then):  # last: nobody who opted out is anybody's control
            chosen = step.of(chosen, self._folder)
        return chosen

    def _made(self, place: str, make: Callable[[], T]) -> T | None:
        """What it makes, or None and the fault; nothing where the form is wrong already."""
        if place in self._named:
            return None
        try:
            return make()
        except RecipeError as error:
            self._faults += [f"{place}: {fault}" for fault in error.faults]
        except UsageError as error:
            last = place.rpartition(".")[2]
            self._faults.append(f"{place}: {str(error).removeprefix(f'{last}: ')}")
        return None

    def _path(self, text: str) -> Path:
        return self._folder / Path(text).expanduser()

    def _recipe(self) -> Recipe:
        return load_recipe(
            self._recipe_named(self._needed(self.entry.recipe)),
            on=self._recipe_named(self.entry.on),
            variables=None if self.entry.variables is None else self._path(self.entry.variables),
        )

    def _recipe_named(self, text: str) -> str | Path:
        is_path = "/" in text or "\\" in text or Path(text).suffix
        return self._path(text) if is_path and text not in shipped() else text

    def _outputs(self) -> tuple[Writer, ...]:
        """Each output by itself, and whether one is there twice."""
        entry = self.entry
        if not entry.to and not any(place.startswith("to") for place in self._named):
            self._faults.append("to: at least one kind of output, such as 'nifti' or 'tables'")
        names = {name.partition(":")[0] for name in entry.to}
        for name in sorted(entry.options.keys() - names):
            self._faults.append(f"options.{name}: this output is not in the list")
        made = [self._made("to", partial(self._output, name)) for name in entry.to]
        found = tuple(one for one in made if one is not None)
        if found:
            self._made("to", lambda: outputs_of(found))
        return found

    def _output(self, name: str) -> Writer:
        return writer(name, self.entry.options.get(name.partition(":")[0]))

    def _key(self) -> Key:
        key = self.entry.key
        return Key.from_env() if key is None else Key.from_file(self._path(key))

    def _ids(self, recipe: Recipe | None, key: Key | None) -> IdTable | None:
        ids = self.entry.ids
        table = None if ids is None else IdTable.from_file(self._path(ids))
        if recipe is not None and key is not None:
            names = (self.entry.archive, self.entry.index)
            demand_ids(table, key, recipe, [str(self._path(one)) for one in names if one])
        return table

    def _people(self, recipe: Recipe | None) -> Path | None:
        people = self.entry.people
        if people is None:
            return None
        read_people(self._path(people), "" if recipe is None else recipe.default_issuer)
        return self._path(people)

    def _out(self) -> Path:
        out = self._path(self._needed(self.entry.out))
        names = (self.entry.archive, self.entry.index)
        check(out, [self._path(name) for name in names if name is not None])
        return out

    def _pace(self) -> Pace:
        """Each limit by itself; those that cannot be kept to are left out, and told."""
        said = {name: value for name, value in self.entry.pace if value is not None}
        if "stop_file" in said:
            said["stop_file"] = self._path(said["stop_file"])
        sound = {
            name: value
            for name, value in said.items()
            if self._made(f"pace.{name}", partial(Pace, **{name: value})) is not None
        }
        return Pace(**sound)

    def _run(self) -> None:
        run = self.entry.run
        known = self._made("run.engine", lambda: demand_engine(run.engine))
        self._made("run.workers", lambda: workers_of(run.workers, known or "local"))
        if run.limit is not None:
            self._made("run.limit", lambda: given.whole("limit", run.limit))
        self._made("run.task_minutes", lambda: Limits.of(run.task_minutes, None))
        self._made("run.task_gigabytes", lambda: Limits.of(None, run.task_gigabytes))

    def _scanned(self, asked: object) -> None:
        if asked and self.entry.archive is None:
            raise UsageError("without 'archive' nothing is scanned")

    def _source(self) -> None:
        """Where the series come from: a cohort file, or an index and what is asked of it."""
        entry = self.entry
        columns: pl.Schema | None = series_schema()  # what a scan makes
        if entry.cohort is not None:
            for name in ("index", "archive", "search", "then"):
                if getattr(entry, name):
                    self._faults.append(f"{name}: a cohort file says that already")
            self._made("cohort", lambda: load(self._path(entry.cohort or ""), open_index))
        elif entry.index is None:
            if not self._named & {"index", "cohort"}:
                self._faults.append("index: missing; where to look, or a cohort file as 'cohort'")
        elif entry.archive is None:
            columns = self._made("index", self._columns)
        elif not self._path(entry.archive).is_dir():
            self._faults.append("archive: no such folder")
        if columns is None:
            return
        for word, value in entry.search.items():
            self._made(f"search.{word}", partial(self._asked, word, value, columns))
        self._steps(columns)

    def _steps(self, columns: pl.Schema) -> None:
        """Steps that are read and, one after the other, taken of no series at all."""
        places = {f"then.{number}": text for number, text in enumerate(self.entry.then, 1)}
        read = {
            place: self._made(place, partial(read_step, text)) for place, text in places.items()
        }
        cohort: Cohort | None = Cohort.start(_nothing(columns))
        for place, step in read.items():
            if cohort is None or step is None:
                return  # the next ones build on it
            cohort = self._made(place, partial(step.of, cohort, self._folder))

    def _columns(self) -> pl.Schema:
        return open_index(self._path(self.entry.index or "")).series().collect_schema()

    def _asked(self, word: str, value: object, columns: pl.Schema) -> None:
        """Keep a term of the search once it can be asked."""
        terms = read_terms(list(_words(word, value)), columns) if value != [] else {word: value}
        parse(terms, columns)
        self._terms |= terms

    def _lists_there(self) -> None:
        """Lists of ids that can be read, and a reason that is one line."""
        for part in ("only", "exclude"):
            lists = getattr(self.entry, part)
            if lists is None:
                continue
            self._made(f"{part}.reason", partial(demand_line, part, lists.reason))
            paths = self._lists(lists)
            if not paths and not any(place.startswith(part) for place in self._named):
                self._faults.append(f"{part}: name a file: {' or '.join(_ASKED)}")
            for name, path in paths.items():
                self._made(f"{part}.{name}", partial(_list_of, part, name, path))

    def _lists(self, lists: ListsEntry) -> dict[str, Path]:
        named = {name: getattr(lists, name) for name in _ASKED}
        return {name: self._path(path) for name, path in named.items() if path is not None}

    @staticmethod
    def _needed(text: str | None) -> str:
        if text is None:
            raise UsageError("missing")
        return text


def _nothing(columns: pl.Schema) -> StoreIndex:
    """An index of these columns, of no series."""
    return StoreIndex("nothing", "", ("",), {"series": pl.LazyFrame(schema=columns)})


def _list_of(part: str, name: str, path: Path) -> None:
    if not path.is_file():
        raise UsageError("no such file")
    empty = read_ids(name, path).given.is_empty()
    if part == "only" and empty:
        raise UsageError("the list is empty")


def _words(keyword: str, value: object) -> Iterator[str]:
    """A term as the shell writes it; a list is any of its values."""
    for one in value if isinstance(value, list) else [value]:
        yield f"{keyword}={_text(one)}"


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str | int | float):
        return str(value)
    raise UsageError("text, a number, a date or a list of these")
