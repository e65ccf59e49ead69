"""What an export would do, before anything is touched."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from html import escape
from pathlib import Path

import polars as pl

from cohortkit import given
from cohortkit.cohort.cohort import Cohort
from cohortkit.cohort.join import Table
from cohortkit.cohort.labelled import FEWEST
from cohortkit.cohort.plain import noted
from cohortkit.deidentify.people import People
from cohortkit.dicom.members import file_of
from cohortkit.errors import OutputError, UsageError, unwritten
from cohortkit.model import Reason, Task
from cohortkit.protocols import Index, Noting, Source, Writer
from cohortkit.recipe.model import Ids, Recipe
from cohortkit.run.about import About, about, describe
from cohortkit.run.asked import asked
from cohortkit.run.doubts import Doubt, doubts_of, frame_of, tally_of
from cohortkit.run.identity import met, read_people
from cohortkit.run.labelled import Cell, demand_typed, in_words, small_cells
from cohortkit.run.labelled import frame_of as frame_of_cells
from cohortkit.run.naming import Words
from cohortkit.run.place import cause
from cohortkit.run.predict import Forecast, demand_decoders, forecast
from cohortkit.run.secret import demand_place, write_new
from cohortkit.run.tasks import build
from cohortkit.run.texts import ready
from cohortkit.run.wording import demand_silent, demand_untelling, unproved
from cohortkit.sources.located import Located, elsewhere
from cohortkit.writers import writer

_SEARCHED = "what search gives, as in ck.plan(index.search(), …)"
_LOADED = "what load_recipe gives, such as ck.load_recipe('basic')"


@dataclass(frozen=True, repr=False)
class Plan:
    """The tasks, what is foreseen of each, and all that the report will say was asked.

    Attributes:
        tasks: one a series. Identified.
        outputs: the writers.
        forecasts: by task.
        withheld: joined columns that the recipe does not release.
        lacking: columns that the recipe releases and the cohort does not have.
        series: the index, so that the words of a key can be held against it. Identified.
        archive: folders that no output may be in or around.
        first: how many tasks a run does; None for all.
        people: who is merged with whom. Identified.
        met: how many of these ids the index holds.
        doubts: where the index leaves open whether two people are one. Identified.
        noted: tells the log of a shared index that it is exported.
        fewest: how many patients a value of a joined column should have.
        small: the values that fewer have. Identified.
        words: the user's, for each task to look for its patient in them; None where the index
            knows whom they may name.
    """

    tasks: tuple[Task, ...]
    recipe: Recipe
    outputs: tuple[Writer, ...]
    source: Source
    forecasts: tuple[Forecast, ...]
    about: About
    withheld: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    archive: tuple[str, ...] = ()
    series: pl.LazyFrame = field(default_factory=pl.LazyFrame)
    first: int | None = field(default=None)
    people: People = field(default_factory=People)
    met: int = 0
    doubts: tuple[Doubt, ...] = ()
    noted: Callable[[], None] | None = None
    fewest: int = FEWEST
    small: tuple[Cell, ...] = ()
    words: Words | None = None

    def limit(self, count: int) -> Plan:
        """The same plan, of which a run does the first tasks only: to try it on a few.

        Raises:
            UsageError: fewer than one.
        """
        return replace(self, first=given.whole("limit", count))

    @property
    def chosen(self) -> tuple[Task, ...]:
        """The tasks of a run: all, or the first few that are not foreseen to be refused.

        A trial that shows nothing but refusals would show nothing.
        """
        if self.first is None:
            return self.tasks
        going = [t for t, seen in zip(self.tasks, self.forecasts, strict=True) if not seen.reason]
        rest = [t for t, seen in zip(self.tasks, self.forecasts, strict=True) if seen.reason]
        return tuple((going + rest)[: self.first])

    @property
    def digest(self) -> str:
        """SHA-256 over what is asked: recipe, outputs, series, files and labels."""
        asked = [
            self.recipe.digest,
            [describe(one) for one in self.outputs],
            [
                [task.series_key, task.over_89, [[n, str(v)] for n, v in task.labels]]
                + [[file.sop_instance_uid, file.size, file.mtime_ns] for file in task.files]
                for task in self.tasks
            ],
        ]
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()

    def refusals(self) -> dict[Reason, int]:
        """Series that will be refused whole, as far as the index tells, by reason."""
        found = Counter(seen.reason for seen in self.forecasts if seen.reason is not None)
        return dict(sorted(found.items(), key=lambda item: (-item[1], str(item[0]))))

    def refusals_of(self) -> dict[tuple[str, Reason], int]:
        """Series that will be refused for one output alone, by (output, reason)."""
        found = Counter(item for seen in self.forecasts for item in seen.only.items())
        return dict(sorted(found.items()))

    def unsure(self, *, identified: bool = False) -> pl.DataFrame:
        """Where the index leaves open whether two people are one: kind, case, how many people.

        Args:
            identified: a row for each person, with issuer and Patient ID, to be looked into and
                merged by ``people``.
        """
        given.a(bool, "identified", identified, "True or False")
        return frame_of(self.doubts, identified=identified)

    def small_cells(self, *, identified: bool = False) -> pl.DataFrame:
        """Values of joined columns that leave and that fewer patients have than ``fewest``.

        Columns by themselves and all together: column, how many such values, the least number of
        patients that have one.

        Args:
            identified: a row for each such value: column, value, patients.
        """
        given.a(bool, "identified", identified, "True or False")
        return frame_of_cells(self.small, identified=identified)

    def save_unsure(self, path: str | Path) -> None:
        """Write ``unsure(identified=True)``: a new .csv or .parquet, of mode 0600. It names people.

        Raises:
            UsageError: no such kind of file, a place that must not hold identities.
        """
        place = demand_place(path, self.archive)
        try:
            with write_new(place, self.unsure(identified=True)):
                pass  # nothing to be noted first: it is the caller's own question
        except OSError as error:
            raise unwritten(OutputError, f"file {path}: {cause(error)}", error) from None

    def sizes(self) -> dict[str, int]:
        """Estimated bytes by output."""
        return {
            one.name: sum(seen.sizes[one.name] for seen in self.forecasts) for one in self.outputs
        }

    def summary(self) -> dict[str, object]:
        """All of it as plain values, for JSON. Nothing identifies."""
        people = {self.people.one(task.person) for task in self.tasks}
        studies = {(self.people.one(t.person), t.study_instance_uid) for t in self.tasks}
        return {
            "recipe": self.recipe.name,
            "basis": str(self.recipe.basis),
            "ids": str(self.recipe.ids),
            "outputs": [one.name for one in self.outputs],
            "patients": len(people),
            "merged": self.met,
            "merged_unmet": len(self.people.into) - self.met,
            "unsure": tally_of(self.doubts),
            "studies": len(studies),
            "series": len(self.tasks),
            "instances": sum(len(task.files) for task in self.tasks),
            "first": self.first,
            "refused": {str(reason): count for reason, count in self.refusals().items()},
            "refused_of": [
                {"output": name, "reason": str(reason), "series": count}
                for (name, reason), count in self.refusals_of().items()
            ],
            "bytes": self.sizes(),
            "labels_withheld": list(self.withheld),
            "labels_lacking": list(self.lacking),
            "small_cells": self.small_cells().to_dicts(),
            "fewest": self.fewest,
        }

    def _lines(self) -> list[tuple[str, str]]:
        told = self.summary()
        counts = ", ".join(
            f"{told[name]:,} {name}" for name in ("patients", "studies", "series", "instances")
        )
        lines = [
            ("plan", counts),
            ("recipe", f"{self.recipe.name} ({self.recipe.basis})"),
            ("to", ", ".join(f"{name} (about {_size(n)})" for name, n in self.sizes().items())),
        ]
        if not self.tasks:
            lines.append(("nothing", "the cohort holds no series: there is nothing to export"))
        if self.first is not None:
            lines.append(("limit", f"{len(self.chosen)} of these series"))
        lines += [
            ("will be refused", f"{count} series: {reason}. {reason.words}")
            for reason, count in self.refusals().items()
        ]
        lines += [
            ("will be refused", f"{count} series for {name}: {reason}. {reason.words}")
            for (name, reason), count in self.refusals_of().items()
        ]
        if self.recipe.ids is Ids.TABLE:
            lines.append(("ids", "random, out of a table that the export is given"))
        if self.people:
            absent = len(self.people.into) - self.met
            rest = f"; {absent:,} more are not in this index" if absent else ""
            lines.append(("merged", f"{self.met:,} ids into others of the same person{rest}"))
        lines += [("who is who?", f"{n} times {kind}") for kind, n in tally_of(self.doubts).items()]
        if any(task.over_89 is None for task in self.tasks):
            lines.append(("ages", "left out: the index does not tell who is over 89"))
        if self.withheld:
            lines.append(("labels held back", f"{', '.join(self.withheld)} (not in the recipe)"))
        if self.lacking:
            lines.append(("labels lacking", f"{', '.join(self.lacking)} (not in the cohort)"))
        lines += [("small cells", words) for words in in_words(self.small, self.fewest)]
        return lines

    def __repr__(self) -> str:
        return "\n".join(f"{name:<16} {words}" for name, words in self._lines())

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th>{escape(name)}</th><td>{escape(words)}</td></tr>"
            for name, words in self._lines()
        )
        return f"<table>{rows}</table>"


Outputs = str | Writer | Iterable[str | Writer]


def plan(
    cohort: Cohort,
    recipe: Recipe,
    to: Outputs,
    *,
    limit: int | None = None,
    people: Table | None = None,
    fewest: int = FEWEST,
) -> Plan:
    """Say what an export would write, how large, and what it would refuse. Nothing is touched.

    Args:
        cohort: what to export.
        recipe: what may stay.
        to: writers or their short names; one or several.
        limit: let a run do this many series only.
        people: ids of one person, as a table (its path, or a data frame): a row for each id, with
            ``PatientID`` and the ``IntoPatientID`` that it is merged into, perhaps
            ``IssuerOfPatientID`` and ``IntoIssuerOfPatientID``.
        fewest: values of joined columns that fewer patients have are told, before they leave.

    Raises:
        UsageError: no output or the same twice, a wrong name, an index without paths, a step
            or column whose words name a patient of the index, a table of people with faults, a
            joined column whose values tell of their patients what its type does not say.
        MissingDependency: a decoder that the cohort's pixels need is not installed.
    """
    writers: list[Writer] = []
    given.together(
        lambda: given.a(Cohort, "cohort", cohort, _SEARCHED),
        lambda: given.a(Recipe, "recipe", recipe, _LOADED),
        lambda: limit is None or given.whole("limit", limit),
        lambda: given.whole("fewest", fewest),
        lambda: writers.extend(outputs_of(to)),
    )
    outputs = tuple(writers)
    demand_typed(recipe, cohort)
    steps = asked(cohort, recipe).steps
    demand_silent(cohort, steps, recipe)
    labels = tuple(cohort.labels)
    released = tuple(label.column for label in recipe.labels)
    merges = People() if people is None else read_people(people, recipe.default_issuer)
    chosen = cohort.identified()
    built = build(
        cohort.index,
        chosen,
        recipe.default_issuer,
        [name for name in released if name in labels],
        merges,
    )
    demand_untelling(recipe, built.tasks)
    seen = tuple(
        forecast(task, row, recipe, outputs)
        for task, row in zip(built.tasks, built.rows, strict=True)
    )
    demand_decoders(built.rows, seen, outputs)
    small = small_cells(recipe, built.tasks, merges, fewest)
    withheld = tuple(name for name in labels if name not in released)
    recipe, tasks = ready(cohort.index, recipe, built.tasks, built.rows, withheld, people=merges)
    planned = Plan(
        tasks=tasks,
        recipe=recipe,
        outputs=outputs,
        source=Located(),
        forecasts=seen,
        about=about(cohort, recipe, outputs, built.tasks, small=in_words(small, fewest)),
        withheld=withheld,
        lacking=tuple(name for name in released if name not in labels),
        series=cohort.index.series(),
        archive=archive_of(cohort.index, built.tasks),
        people=merges,
        met=met(merges, cohort.index, recipe.default_issuer),
        doubts=doubts_of(cohort.index, chosen, recipe.default_issuer, merges),
        noted=_noting(cohort, recipe),
        fewest=fewest,
        small=small,
        words=unproved(cohort, steps, recipe),
    )
    return planned if limit is None else planned.limit(limit)


def outputs_of(to: Outputs) -> tuple[Writer, ...]:
    """The writers that are meant, one of a kind.

    Raises:
        UsageError: none at all, a wrong one, or the same twice.
    """
    many = tuple(to) if isinstance(to, Iterable) and not isinstance(to, str) else (to,)
    given.together(*(partial(writer, one) for one in many))
    found = tuple(writer(one) for one in many)
    if not found:
        raise UsageError("to: at least one kind of output, such as 'nifti' or 'tables'")
    twice = [name for name, count in Counter(one.name for one in found).items() if count > 1]
    if twice:
        raise UsageError(f"to: {twice[0]} is there twice; one output of a kind")
    return found


def _noting(cohort: Cohort, recipe: Recipe) -> Callable[[], None] | None:
    index = cohort.index
    if not isinstance(index, Noting):
        return None
    facts = {"recipe": recipe.name, "digest": recipe.digest, **noted(cohort.steps)}
    return partial(index.note, "export", facts)


def archive_of(index: Index, tasks: Iterable[Task]) -> tuple[str, ...]:
    """The archive as the index knows it, the folders of the files, the index store."""
    roots = {str(root) for root in getattr(index, "roots", ())}
    paths = (file.path for task in tasks for file in task.files)
    folders = {file_of(path).rpartition("/")[0] for path in paths if not elsewhere(path)}
    at = "" if elsewhere(index.location) else index.location
    return tuple(sorted({*roots, *folders, at} - {""}))


def _size(count: int) -> str:
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:  # noqa: PLR2004 - the next unit
            return f"{size:.0f} {unit}" if size >= 10 or unit == "bytes" else f"{size:.1f} {unit}"  # noqa: PLR2004 - two digits
        size /= 1000
    return f"{size:.1f} TB"
