"""The steps of a cohort that the design of a study asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self

import polars as pl

from cohortkit import given
from cohortkit.cohort import controls as matching
from cohortkit.cohort import text as texts
from cohortkit.cohort.choose import columns
from cohortkit.cohort.chosen import Chosen
from cohortkit.cohort.join import Many, Table
from cohortkit.cohort.keys import keys_of
from cohortkit.cohort.narrow import Plan, checked
from cohortkit.cohort.nearest import Wanted, nearest
from cohortkit.cohort.pairs import LABELS, PRIOR, pairs
from cohortkit.cohort.phrases import Expression, Phrase, Sought, literal
from cohortkit.cohort.prefer import Preference, best_per
from cohortkit.cohort.spans import Span
from cohortkit.cohort.split import parts_of, recalled, recorded, words_of
from cohortkit.cohort.steps import Condition, Note
from cohortkit.errors import QueryError
from cohortkit.model import Parts


@dataclass(frozen=True, repr=False, eq=False)
class Designs(Chosen):
    """Choosing by text, by a day, by preference; pairs, controls, and parts of a data set."""

    def text(
        self, *texts_: str, where: str | Sequence[str] | None = None, reason: str = ""
    ) -> Self:
        """Keep the series whose descriptions hold all words of a text, whatever case and accents.

        Words are whole words; ``lung*`` is any that begins so. Of several texts one is enough:
        ``text("lung nodule", "chest ct")``.

        Args:
            texts_: each of words that all have to be there.
            where: the columns that are looked into, together; default: StudyDescription,
                SeriesDescription and ProtocolName, as far as there are any.
            reason: why the others are left out, as the flow shows it; it names nobody.

        Raises:
            UnknownKeyword: no such column.
            QueryError: no word, or a column that holds no text.
        """
        asked = texts.read(texts_)
        into = texts.where(where, self.columns)
        holds = texts.holds(self.rows, asked, into)
        condition = Condition(holds, reason or "not these words", "no description")
        phrase = Phrase("{}", (Sought(tuple(texts_), into),))
        return self._told(phrase, Plan("text", "", [condition], reason=reason))

    def nearest(
        self,
        table: Table,
        *,
        on: str | Sequence[str],
        date: str,
        days: tuple[int | None, int | None],
        by: str = "StudyDate",
        level: Literal["study", "series"] = "study",
        many: Many = "refuse",
        reason: str = "",
    ) -> Self:
        """Keep, for each key of a table, the study (or series) that is nearest to the table's date.

        Args:
            table: as for ``join``.
            on: identifier columns that both have, as for ``join``.
            date: the table's column of dates.
            days: the window, from the date to the study: ``(-30, 7)`` is from 30 days before to 7
                days after. None leaves a side open.
            by: the day of a study: the first of its series.
            level: what is kept.
            many: what to do with a key of several dates, as for ``join``.
            reason: why, as the flow shows it.

        Ties go by Study, then Series Instance UID.

        Raises:
            UnknownKeyword: the index or the table has no such column.
            QueryError: the table cannot be joined, a column holds no dates, or there is no window.
        """
        span = Span.of("nearest", days)
        self._demand_plain("nearest", reason)
        wanted = Wanted(on, date, by, span, level, many)
        conditions, joined = nearest(self.rows, table, wanted, reason)
        keys = on if isinstance(on, str) else " + ".join(on)
        words = f"the {level} nearest to {date}, {span.around()}, by {keys}"
        after = self._step(Plan("nearest", words, conditions, joined.notes, reason))
        return replace(after, misses=self._missed(joined.misses))

    def best_per(
        self, of: str, *, prefer: Preference | Sequence[Preference], reason: str = ""
    ) -> Self:
        """Keep one series of each study, by what is preferred; the flow counts why each was chosen.

        The first preference decides, among equals the next, at last the Series Instance UID. What
        is not known to fulfil a preference comes behind what does.

        Args:
            of: ``"study"``, ``"patient"`` or a column.
            prefer: terms as ``search`` takes them (``{"ConvolutionKernel": ["B30f", "STANDARD"]}``,
                ``{"plane": "axial", "is_derived": False}``), or a column: its least value is
                preferred (``"SliceThickness"``), with ``-`` before it the greatest
                (``"-NumberOfSeriesRelatedInstances"``).
            reason: why, as the flow shows it.

        Raises:
            UnknownKeyword: no such column.
            QueryError: no preference, or a value that a column cannot have.
        """
        best = best_per(self.rows, of, prefer)
        out = reason or f"another series of its {of} is preferred"
        condition = Condition(best.keep, out, f"{of} is absent")
        plan = Plan("best_per", "", [condition], best.notes, reason)
        return self._told(best.phrase, plan)

    def pairs(
        self,
        *,
        days: tuple[int | None, int | None],
        same: str | Sequence[str] = (),
        by: str = "StudyDate",
        most: int | None = None,
        reason: str = "",
    ) -> Self:
        """Keep pairs of studies of one patient, a prior and its follow-up, that lie days apart.

        A study is in one pair at most: in the order of their days, each that is free gets the
        first free one within the window. Ties go by Study Instance UID. The labels ``pair_id``,
        ``pair_role`` (``prior``, ``follow-up``) and ``pair_days`` tell which pair; a recipe
        releases them with the types ``id``, ``text`` and ``interval``.

        Args:
            days: the window, from the prior to the follow-up: ``(90, 365)``.
            same: columns that both have in common, such as ``["Modality", "body_part"]``; of a
                study its series with that value are meant.
            by: the day of a study: the first of its series.
            most: pairs of one patient, for each value of ``same``; default: all.
            reason: why, as the flow shows it.

        Raises:
            UnknownKeyword: no such column.
            QueryError: no window, no dates, a column of several values, labels that are there.
        """
        span = Span.of("pairs", days, least=0)
        shared = columns(same, "pairs: same=") if same != () else ()
        if most is not None:
            given.whole("pairs: most", most)
        self._demand_free("pairs", LABELS)
        holds, labels = pairs(self.rows, span, shared, by, most)
        alike = f" of the same {' and '.join(shared)}" if shared else ""
        first = "" if most is None else f", the first {most} of each patient"
        absent = " or ".join((by, *shared))
        condition = Condition(holds, reason or f"in no pair {span} apart", f"{absent} is absent")
        many = labels.filter(holds, pl.col("pair_role") == PRIOR)["pair_id"].n_unique()
        words = f"two studies{alike}, {span} apart{first}"
        plan = Plan("pairs", words, [condition], [Note("pairs", many)], reason)
        return self._labelling(plan, labels)

    def match(
        self,
        case: pl.Expr,
        *,
        same: str | Sequence[str] = (),
        within: Mapping[str, float] | None = None,
        controls: int = 1,
        seed: int = 0,
        reason: str = "",
    ) -> Self:
        """Keep cases, and for each some controls that are like it; nobody is taken twice.

        A patient is a case if the expression is true of some series, and may be a control if it is
        of none. In rounds each case takes the nearest control that is free; what is equal is
        drawn by the seed. Cases without a control are left out, and counted. The labels
        ``match_id`` and ``match_role`` (``case``, ``control``) tell whose set it is; a recipe
        releases them with the types ``id`` and ``text``.

        Args:
            case: over the columns of the index and the labels.
            same: columns of which case and control have the same values.
            within: columns of numbers, and how far apart they may be, ``{"age_years": 2}``; of
                several values of a patient the least counts.
            controls: for each case, at most.
            seed: of what is drawn.
            reason: why, as the flow shows it.

        Raises:
            UnknownKeyword: no such column.
            QueryError: no condition, nothing to be alike in, what cannot be compared.
        """
        is_case = checked(case, self.rows, "match")
        shared = columns(same, "match: same=") if same != () else ()
        given.whole("match: controls", controls)
        given.whole("match: seed", seed, 0)
        near = {} if within is None else within
        alike = matching.Alike.of(shared, near, controls, seed, self.columns)
        self._demand_free("match", matching.LABELS)
        holds, labels, notes = matching.match(self.rows, is_case, alike)
        part = Expression(str(case), tuple(case.meta.root_names()))
        phrase = Phrase(f"cases ({{}}) and {literal(str(alike))}", (part,))
        absent = " or ".join(dict.fromkeys((*shared, *near)))
        condition = Condition(
            holds, reason or "in no set of a case and its controls", f"case or {absent} is unknown"
        )
        return self._told(phrase, Plan("match", "", [condition], notes, reason), labels)

    def split(self, **shares: float) -> Self:
        """Say which share of the patients goes into which part: train=0.7, val=0.15, test=0.15.

        Who is in which part is made of the person under the key of the export: it stands in the
        column ``split`` of every released table, it is the same in each export under that key, and
        nobody moves when others are added. Merged people are one. Series without a Patient ID are
        left out: nobody could keep them together.

        Raises:
            QueryError: shares that are not 1 together, or a part whose name is not of letters.
        """
        parts = parts_of(shares)
        if self.parts:
            raise QueryError("split: the cohort has one already")
        self._demand_free("split", ["split"])
        named = keys_of(self.rows)["__named"]
        holds = pl.select(pl.when(named).then(pl.lit(value=True)).alias("holds")).to_series()
        condition = Condition(holds, "", "PatientID is absent")
        return self._step(Plan("split", words_of(parts), [condition], detail=recorded(parts)))

    @property
    def parts(self) -> Parts:
        """The parts of the split that was asked for, with their shares; none by default."""
        asked = (step.detail for step in self.steps if step.action == "split")
        told = next(asked, "")
        return recalled(told) if told else ()

    def _told(
        self,
        phrase: Phrase,
        plan: Plan,
        labels: pl.DataFrame | None = None,
    ) -> Self:
        """Take a step whose words are made of what it asks."""
        words = phrase.told(self.columns, self._telling())
        whole = replace(plan, words=words, detail=phrase.encode())
        return self._step(whole) if labels is None else self._labelling(whole, labels)
