"""A job file before anything is done: every fault, each with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

from cohortkit.cohort.cohort import Cohort
from cohortkit.cohort.file import load
from cohortkit.cohort.terms import read_terms
from cohortkit.deidentify.idtable import IdTable
from cohortkit.deidentify.keyfile import Key
from cohortkit.dicom import keywords
from cohortkit.errors import JobError, RecipeError, UsageError
from cohortkit.index import open_index, scan
from cohortkit.job.form import JobEntry, ListsEntry
from cohortkit.protocols import Writer
from cohortkit.recipe.file import load_recipe, shipped
from cohortkit.recipe.model import Recipe
from cohortkit.run.identity import demand_ids, read_people
from cohortkit.run.limits import Limits
from cohortkit.run.pace import Pace
from cohortkit.run.place import check
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
        self._named = {fault.split(":")[0].split(".")[0] for fault in self._faults}

    def ready(self, said: str) -> Ready:
        """All of it, or every fault at once."""
        entry = self.entry
        recipe = self._made("recipe", self._recipe)
        outputs = self._made("to", self._outputs)
        key = self._made("key", self._key)
        out = self._made("out", self._out)
        pace = self._made("pace", self._pace)
        ids = self._made("ids", lambda: self._ids(recipe, key))
        people = self._made("people", lambda: self._people(recipe))
        self._made("run", lambda: Limits.of(entry.run.task_minutes, entry.run.task_gigabytes))
        self._counts()
        self._source()
        if self._faults or None in (recipe, outputs, key, out, pace):
            raise JobError(said, self._faults)
        assert recipe is not None
        assert outputs is not None
        assert key is not None
        assert out is not None
        assert pace is not None
        return Ready(recipe, outputs, key, out, pace, ids, people)

    def cohort(self, *, progress: bool) -> Cohort:
        """What is asked for, of an index that is scanned first where an archive is named."""
        entry = self.entry
        if entry.cohort is not None:
            chosen = load(self._path(entry.cohort), open_index)
        else:
            assert entry.index is not None
            if entry.archive is not None:
                scan(self._path(entry.archive), self._path(entry.index), progress=progress)
            index = open_index(self._path(entry.index))
            words = list(_words(entry.search))
            chosen = Cohort.start(index, **read_terms(words, index.series().collect_schema()))
        if entry.only is not None:
            chosen = chosen.only(reason=entry.only.reason, **self._lists(entry.only))
        if entry.exclude is not None:
            chosen = chosen.exclude(reason=entry.exclude.reason, **self._lists(entry.exclude))
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
            self._faults.append(f"{place}: {error}")
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
        entry = self.entry
        if not entry.to:
            raise UsageError("at least one kind of output, such as 'nifti' or 'tables'")
        for name in entry.options.keys() - set(entry.to):
            raise UsageError(f"options.{name}: this output is not in the list")
        return tuple(writer(name, entry.options.get(name)) for name in entry.to)

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
        pace = self.entry.pace
        stop = None if pace.stop_file is None else self._path(pace.stop_file)
        return Pace(pace.hours, stop, pace.reserve_gigabytes, pace.per_minute)

    def _counts(self) -> None:
        for name in ("workers", "limit"):
            value = getattr(self.entry.run, name)
            if value is not None and value < 1:
                self._faults.append(f"run.{name}: a whole number from 1")

    def _source(self) -> None:
        """Where the series come from: a cohort file, or an index and what is asked of it."""
        entry = self.entry
        if entry.cohort is not None:
            for name in ("index", "archive", "search"):
                if getattr(entry, name):
                    self._faults.append(f"{name}: a cohort file says that already")
            self._made("cohort", lambda: load(self._path(entry.cohort or ""), open_index))
        elif entry.index is None:
            if not self._named & {"index", "cohort"}:
                self._faults.append("index: missing; where to look, or a cohort file as 'cohort'")
        elif entry.archive is None:
            self._made("index", lambda: open_index(self._path(entry.index or "")))
        elif not self._path(entry.archive).is_dir():
            self._faults.append("archive: no such folder")
        self._asked()

    def _asked(self) -> None:
        """Words that no index has, and lists that are not there."""
        entry = self.entry
        for word, value in entry.search.items():
            if value == []:
                self._faults.append(f"search.{word}: an empty list would match nothing")
            if keywords.tag_of(word) is None and not word.islower():
                near = keywords.neighbours(word)
                more = f"; did you mean {', '.join(near)}?" if near else ""
                self._faults.append(f"search.{word}: unknown keyword{more}")
        for part in ("only", "exclude"):
            lists = getattr(entry, part)
            for name in _ASKED if lists is not None else ():
                path = getattr(lists, name)
                if path is not None and not self._path(path).is_file():
                    self._faults.append(f"{part}.{name}: no such file")

    def _lists(self, lists: ListsEntry) -> dict[str, Path]:
        named = {name: getattr(lists, name) for name in _ASKED}
        return {name: self._path(path) for name, path in named.items() if path is not None}

    @staticmethod
    def _needed(text: str | None) -> str:
        if text is None:
            raise UsageError("missing")
        return text


def _words(asked: Mapping[str, object]) -> Iterator[str]:
    """A search as the shell writes it; a list is any of its values."""
    for keyword, value in asked.items():
        for one in value if isinstance(value, list) else [value]:
            yield f"{keyword}={_text(keyword, one)}"


def _text(keyword: str, value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str | int | float):
        return str(value)
    raise UsageError(f"search.{keyword}: text, a number, a date or a list of these")
