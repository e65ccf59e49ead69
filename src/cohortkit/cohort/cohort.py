"""A cohort: series of an index, chosen step by step, with the count of what each step left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self

import polars as pl

from cohortkit import given
from cohortkit.cohort import choose, plain, view, words
from cohortkit.cohort.describe import Description, describe
from cohortkit.cohort.designs import Designs
from cohortkit.cohort.flow import Flow
from cohortkit.cohort.hints import spelled_so
from cohortkit.cohort.identity import shown
from cohortkit.cohort.join import Many, Table, match
from cohortkit.cohort.keys import keys_of
from cohortkit.cohort.listing import Ids, listed
from cohortkit.cohort.narrow import Plan, checked, everything, narrowed, offered
from cohortkit.cohort.query import parse, verdicts
from cohortkit.cohort.retell import retold
from cohortkit.cohort.steps import Condition, Note, count, counted, evaluated
from cohortkit.cohort.vocabulary import neutral
from cohortkit.cohort.words import Released
from cohortkit.errors import MissingDependency, QueryError
from cohortkit.protocols import Index, Narrowing, Noting


@dataclass(frozen=True, repr=False, eq=False)
class Cohort(Designs):
    """Series of an index, and how they were chosen. Each step makes a new cohort.

    The grain is the series. Printed forms and tables leave identity out unless they are asked
    with ``identified=True``; ``rows`` and ``misses`` are identified.

    Attributes:
        index: where it was chosen from.
        rows: its series with every column of the index, then the labels.
        steps: what was asked, and what each step kept and left out.
        labels: the columns that were joined, or made by a step.
        misses: ids and keys that did not simply match, by step.
    """

    @classmethod
    def start(cls, index: Index, /, **terms: object) -> Self:
        """Search an index; no term at all is everything.

        Raises:
            UnknownKeyword: a word that is no column of the index.
            QueryError: a value that the column cannot have.
        """
        given.a(Index, "index", index, "what scan or open_index gives")
        whole = cls(index, index.series(), ())
        close = None
        if terms and isinstance(index, Narrowing):
            query = parse(terms, whole.columns)
            offer = index.narrow(query)
            close = offer.close
            whole = replace(whole, rows=offer.rows, steps=(offered(query, offer),))
        if terms:
            found = whole._searched(terms, close)  # noqa: SLF001 - of this class
        else:
            found = replace(whole, steps=(everything(count(keys_of(whole.rows))),))
        if isinstance(index, Noting):
            index.note("search", plain.noted(found.steps))
        return found

    # choosing

    def search(self, /, **terms: object) -> Self:
        """Keep the series for which every term holds. Keys are columns, as a rule DICOM keywords.

        A value is exact; a list is any of its members; a tuple is a closed range, for dates,
        times and numbers; ``*`` and ``?`` in text are wildcards; a compiled regular expression is
        searched for; ``None`` is absent. A column of several values holds if any of them does.
        A list may mix values, wildcards and ``None``.

        Raises:
            UnknownKeyword: a word that is no column of the index.
            QueryError: a value that the column cannot have.
        """
        return self._searched(terms)

    def _searched(self, terms: Mapping[str, object], close: pl.LazyFrame | None = None) -> Self:
        columns = self.columns
        query = parse(terms, columns)
        told = words.terms(query, columns, self._telling())
        conditions = [
            Condition(holds, words.missed(said), f"{word} is unknown")
            for holds, said, (word, _) in zip(
                verdicts(query, columns), told, query.terms, strict=True
            )
        ]
        plan = Plan("search", words.search(told), conditions, query=query, close=close)
        found = self._step(plan)
        if len(found) or not query.terms:
            return found
        can = getattr(self.index, "capabilities", None)
        if can is not None and not can.whole:
            return found
        asked = self.index.series() if can is not None and len(self.steps) == 1 else self.rows
        return self._step(replace(plan, notes=spelled_so(query, asked)))

    def filter(self, expr: pl.Expr, /, *, reason: str = "") -> Self:
        """Keep the series for which a polars expression is true; null is counted as unknown.

        Args:
            expr: over the columns of the index and the labels. Text that polars would read as
                the name of a column (in ``is_between``) has to be wrapped in ``pl.lit``.
            reason: why the others are left out, as the flow shows it; it names nobody.

        Raises:
            UnknownKeyword: the expression names no column of the cohort.
            QueryError: it is no condition, or cannot be worked out.
        """
        columns = self.columns
        holds = checked(expr, self.rows)
        detail = str(expr)
        said = words.condition(detail, expr.meta.root_names(), columns, self._telling())
        condition = Condition(holds, reason or words.missed(said), words.unsure(said))
        plan = Plan("filter", said, [condition], reason=reason, detail=detail)
        return self._step(plan)

    def first_per(
        self,
        of: str,
        *,
        by: str | Sequence[str],
        level: Literal["study", "series"] = "study",
        nth: int = 1,
        descending: bool = False,
        reason: str = "",
    ) -> Self:
        """Keep the first study (all its series), or the first series, of each patient.

        Args:
            of: ``"patient"`` (issuer and Patient ID), ``"study"`` or a column.
            by: what orders them; absent is counted as unknown. Ties go by Study, then Series
                Instance UID.
            level: what is kept.
            nth: take the second (2), the third … instead; who has fewer is left out.
            descending: count from the last.
            reason: why, as the flow shows it.
        """
        by = choose.columns(by, "first_per: by=")
        given.a(bool, "first_per: descending", descending, "True or False")
        given.whole("first_per: nth", nth)
        keep = choose.first_per(self.rows, of, by, level, nth=nth, descending=descending)
        end, order = choose.place(nth, descending=descending), ", ".join(by)
        out = reason or f"not the {end} {level} of its {of}"
        condition = Condition(keep, out, f"{of} or {order} is absent")
        said = f"the {end} {level} of each {of} by {order}"
        return self._step(Plan("first_per", said, [condition], reason=reason))

    def sample(
        self,
        n: int,
        *,
        seed: int,
        level: Literal["patient", "study", "series"] = "patient",
    ) -> Self:
        """Draw ``n`` patients (with all their series), studies or series.

        The draw depends on the seed and the identifiers alone. With fewer than ``n`` to draw
        from, all are kept, and the step says so.
        """
        rows = self.identified()
        keep = choose.sample(rows, n, seed, level)
        there = choose.units(rows, level)
        short = f" (there are {there:,})" if there < n else ""
        condition = Condition(keep, "not drawn", f"the {level} has no identifier")
        said = f"{counted(n, level)}{short}, seed {seed}"
        return self._step(Plan("sample", said, [condition]))

    def only(
        self,
        *,
        patients: Ids | None = None,
        accessions: Ids | None = None,
        studies: Ids | None = None,
        series: Ids | None = None,
        reason: str = "",
    ) -> Self:
        """Keep what is on a list of ids, or on each of several lists.

        A list is in Python (text; patients also as (issuer, id) pairs) or a file: ``.txt`` with
        one id a line, or a CSV, TSV or Parquet table with a column named by the keyword. Ids are
        matched whole, zeros kept, never as patterns; ``unmatched()`` lists those not found.
        """
        lists = {
            "patients": patients,
            "accessions": accessions,
            "studies": studies,
            "series": series,
        }
        return self._by_lists("only", lists, reason)

    def exclude(
        self,
        *,
        patients: Ids | None = None,
        accessions: Ids | None = None,
        studies: Ids | None = None,
        series: Ids | None = None,
        reason: str = "",
    ) -> Self:
        """Leave out what is on a list of ids; lists are as for ``only``.

        A series without the identifier may be of somebody on the list: it is left out too, and
        counted as unknown.
        """
        lists = {
            "patients": patients,
            "accessions": accessions,
            "studies": studies,
            "series": series,
        }
        return self._by_lists("exclude", lists, reason)

    def join(
        self,
        table: Table,
        *,
        on: str | Sequence[str],
        many: Many = "refuse",
        unmatched: Literal["keep", "leave out"] = "keep",
        reason: str = "",
    ) -> Self:
        """Add the columns of a table as labels; no series is ever multiplied.

        Args:
            table: a path (CSV, TSV, Parquet), or any table that hands over an Arrow stream.
            on: identifier columns that both have: PatientID, IssuerOfPatientID, AccessionNumber,
                StudyInstanceUID, StudyID, SeriesInstanceUID.
            many: what to do with a key that has several different rows: refuse, or take the first
                in the order of the table.
            unmatched: keep series without a row, with empty labels, or leave them out.
            reason: why, as the flow shows it.

        A key that several patients have here (an accession number used at two sites) is not
        labelled, and counted as unknown.
        """
        if unmatched not in ("keep", "leave out"):
            raise QueryError('join: unmatched is "keep" or "leave out"')
        rows = self.identified()
        joined = match(rows, table, on, many)
        keys = on if isinstance(on, str) else " + ".join(on)
        new = tuple(joined.labels.columns)
        if self.parts and "split" in new:
            raise QueryError("join: the cohort has a split already; rename the table's column")
        condition = Condition(
            joined.matched,
            reason or "no row in the table",
            f"{keys} is unknown or of several patients",
        )
        dropped = [condition] if unmatched == "leave out" else []
        notes = joined.notes if dropped else (*joined.notes, *_labelled(joined.matched))
        plan = Plan("join", f"{', '.join(new) or 'no column'} on {keys}", dropped, notes, reason)
        wide = pl.concat([rows, joined.labels], how="horizontal").lazy()
        self._demand_plain("join", reason)
        kept, steps = narrowed(wide, self.steps, plan)
        labels, misses = (*self.labels, *new), self._missed(joined.misses)
        return replace(self, rows=kept, steps=steps, labels=labels, misses=misses)

    # showing

    def flow(self) -> Flow:
        """Who was left out, at which step, and why: a table that draws itself."""
        return Flow(self.steps)

    def describe(self) -> Description:
        """How much of which modality, department and year there is, and how complete it is."""
        return describe(self.rows)

    def asked(self) -> list[str]:
        """The question in words, one line a step; identifiers are told as counts."""
        return [str(step) for step in self.steps]

    def told(self, released: Released) -> Flow:
        """The flow in words that may leave.

        Args:
            released: whether a recipe lets the values of a column out as they are. Of another
                column the question tells the name, and not what was asked for.
        """
        return Flow(retold(self.steps, self.columns, self._telling(), released))

    def unmatched(self) -> pl.DataFrame:
        """Ids and keys that did not simply match: step, column, value, what. Identified."""
        return self.misses

    def to_polars(self, *, identified: bool = False) -> pl.DataFrame:
        """The series as a polars table, without identity columns unless asked for.

        What a table shows of itself in a notebook is saved with it. So where it is not identified,
        a text that is no known term of its column is ``other``, and a figure of five digits is
        null. A joined label is ``withheld`` unless it tells nobody by itself: it is of ordinary
        words, or five patients or more have it, and it names nobody of the index.
        """
        given.a(bool, "identified", identified, "True or False")
        if identified:
            return self.identified()
        return self._plain(self.rows)

    def _plain(self, rows: pl.LazyFrame) -> pl.DataFrame:
        """Some rows of the cohort, as a view shows them."""
        columns = self.columns
        names = [name for name, kind in columns.items() if shown(name, kind, self.labels)]
        table = evaluated(rows.select(names))
        joined = [name for name in names if name in self.labels]
        table = neutral(table, [name for name in names if name not in joined])
        return self._telling().neutral(table) if joined else table

    def to_pandas(self, *, identified: bool = False) -> Any:  # noqa: ANN401 - pandas is not imported here, not even its types
        """The series as a pandas table, without identity columns unless asked for.

        Raises:
            MissingDependency: pandas or pyarrow is not installed.
        """
        try:
            return self.to_polars(identified=identified).to_pandas()
        except ModuleNotFoundError:
            raise MissingDependency("pandas: pip install 'cohortkit[pandas]'") from None

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The table of ``to_polars()`` as an Arrow stream."""
        return self.to_polars().__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        return "; ".join((f"<Cohort of {self.counts}>", *self._hints()))

    def __str__(self) -> str:
        return f"<Cohort of {self.counts}>\n{self.flow()}"

    def _repr_html_(self) -> str:
        head = self._plain(self.rows.head(view.ROWS))
        return view.html(self.counts, self.asked(), self._hints(), head, len(self))

    def _hints(self) -> list[str]:
        """What was perhaps meant, where the last step did nothing, or left nothing."""
        last = self.steps[-1]
        if last.action == "exclude" and last.kept == last.before:
            return ["nobody was excluded: no series here has an id of the list"]
        if last.query is None or last.kept.series:
            return []
        return [f"{note.count:,} {note.words}" for note in last.notes]

    # keeping

    def save(self, path: str | Path) -> Path:
        """Write the cohort to a file: its series, its question, the version of its index.

        The file is identified: its mode is 0600, and it is never written into a release.

        Raises:
            StoreError: the index is in memory, or the place cannot be used.
        """
        from cohortkit.cohort.file import save  # noqa: PLC0415 - the file knows the cohort

        return save(self, path)

    def _by_lists(self, action: str, lists: Mapping[str, Ids | None], reason: str) -> Self:
        self._demand_plain(action, reason)
        plan, misses = listed(self.identified(), self.index.series(), action, lists, reason)
        rows, steps = narrowed(self.rows, self.steps, plan)
        return replace(self, rows=rows, steps=steps, misses=self._missed(misses))


def _labelled(matched: pl.Series) -> tuple[Note, ...]:
    with_labels = int(matched.fill_null(value=False).sum())
    return (
        Note("series with labels", with_labels),
        Note("series without labels", matched.len() - with_labels),
    )
