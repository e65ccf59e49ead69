"""A server of studies as an index: what DICOMweb and DIMSE have in common.

It is asked for series by the terms that it was proved to answer; the headers of what it offers are
read, and asked again here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import ClassVar, Final, Protocol, Self, TypeVar

import polars as pl
from polars.io.plugins import register_io_source

from cohortkit import given
from cohortkit.cohort import Cohort
from cohortkit.cohort.describe import Description, describe
from cohortkit.cohort.keys import keys_of
from cohortkit.cohort.steps import count
from cohortkit.errors import Refusal, ServerError, TaskFailure, Unanswerable
from cohortkit.index.batch import frame_of
from cohortkit.index.served_ask import STUDY, Term, kinds_of, questions, written
from cohortkit.index.served_probe import proved
from cohortkit.index.served_rows import Item, counted, schema, series_of, told, whose
from cohortkit.index.shared import note
from cohortkit.model.query import Capabilities, Exactly, Query
from cohortkit.protocols import Narrowed
from cohortkit.reasons import Reason

WHOLE: Final = 200
"""Studies of a server that is read whole; of a larger one, only what is asked for."""

_SKIPPED: Final = {"StudyInstanceUID": pl.String, "SeriesInstanceUID": pl.String}
_GONE: Final = frozenset({404, 410})
_Series = tuple[str, str]
_A = TypeVar("_A")
_B = TypeVar("_B")


class Server(Protocol):
    """One server, in its own protocol.

    Attributes:
        backend: the protocol's name.
        location: what ``ck.open_index`` takes, without credentials.
        at_once: questions that may be under way together.
        small: objects of a server that is read whole; 0 is any number.
        most: objects whose headers are read for one question; 0 is any number.
    """

    backend: ClassVar[str]
    at_once: ClassVar[int]
    small: ClassVar[int]
    most: ClassVar[int]

    @property
    def location(self) -> str:
        """What ``ck.open_index`` takes, without credentials."""
        ...

    @property
    def limited(self) -> bool:
        """Whether what it offers for no term at all may be a part of it."""
        ...

    @property
    def relational(self) -> bool:
        """Whether series can be asked for without their study."""
        ...

    def studies(self, terms: Sequence[Term], most: int = 0) -> list[Item]:
        """All studies that it offers for these terms, or the first ``most``.

        Raises:
            ServerError: no answer, or one that may have been cut short.
        """
        ...

    def series(self, study: str, terms: Sequence[Term], most: int = 0) -> list[Item]:
        """All series that it offers for these terms, of one study or (``""``) of all.

        Raises:
            ServerError: as ``studies``.
        """
        ...

    def objects(self, study: str, series: str) -> pl.DataFrame:
        """One row an object of a series, as a scan makes of files; none if it is gone.

        Raises:
            ServerError: no answer, or one that is none.
            TaskFailure, Refusal: an object is not what was asked for, or cannot be read.
        """
        ...


@dataclass(frozen=True, repr=False, eq=False)
class ServedIndex:
    """A server as an index. Implements ``Index``, ``Narrowing``, ``Noting`` of protocols.

    A small server is read whole, once, and then answers like a folder. A large one is asked by the
    terms that it was proved to answer; the headers of what it offers are read, and asked again.

    Attributes:
        version: of a small server, a digest of its studies and how many objects they have.
        capabilities: what was proved at connect.
        server: who is asked.
        held: instances of each series that was read.
        lost: series that could not be read, and why.
    """

    version: str
    capabilities: Capabilities
    server: Server = field(repr=False)
    held: dict[_Series, pl.DataFrame] = field(default_factory=dict, repr=False)
    lost: dict[_Series, Reason] = field(default_factory=dict, repr=False)

    @classmethod
    def connected(cls, server: Server, whole: int) -> Self:
        """Find out what a server can be asked.

        Args:
            server: who is asked.
            whole: how many studies it may have to be read whole.

        Raises:
            ServerError: it cannot be reached, does not let us in, or offers no study.
        """
        pushes = proved(server)
        studies = server.studies([], whole + 1)
        objects = sum(counted(one, "NumberOfStudyRelatedInstances") for one in studies)
        few = len(studies) <= whole and (not server.small or objects <= server.small)
        small = few and not server.limited
        told_of = sorted(
            (told(one, "StudyInstanceUID"), told(one, "NumberOfStudyRelatedInstances"))
            for one in studies
        )
        stated = str(told_of if small else sorted((k, len(v)) for k, v in pushes.items()))
        digest = hashlib.blake2b(stated.encode(), digest_size=6).hexdigest()
        can = Capabilities(server.backend, pushes, unknown=False, whole=small)
        kind = "whole" if small else "asked"
        return cls(f"{server.backend.lower()}-{kind}-{digest}", can, server)

    @property
    def location(self) -> str:
        """What ``ck.open_index`` takes to come back here."""
        return self.server.location

    def series(self) -> pl.LazyFrame:
        """Every series of a small server; of a large one, all of the people met. Identified."""

        def rows(
            columns: list[str] | None, predicate: pl.Expr | None, most: int | None, _: int | None
        ) -> Iterator[pl.DataFrame]:
            frame = self._everything() if self.capabilities.whole else self._of_people()
            frame = frame if predicate is None else frame.filter(predicate)
            frame = frame if most is None else frame.head(most)
            yield frame if columns is None else frame.select(columns)

        return register_io_source(rows, schema=schema())

    def narrow(self, query: Query) -> Narrowed:
        """The series that may be meant.

        Raises:
            Unanswerable: the server is too large to be read whole, and no term may go out.
            ServerError: it is gone, or its answer is none.
        """
        if self.capabilities.whole:
            rows = self._everything().lazy()
            counts = count(keys_of(rows))
            told_of = (counts.patients, counts.studies, counts.series, counts.instances)
            return Narrowed(rows, told_of)
        sent: list[tuple[str, list[str]]] = []
        for keyword, asked in query.terms:
            texts = written(keyword, asked)
            known = self.capabilities.pushes.get(keyword, frozenset())
            if texts and kinds_of(texts, asked) <= known:
                sent.append((keyword, texts))
        pushes = self.capabilities.pushes
        alone = {word for word in pushes if self.server.relational or word in STUDY}
        if not any(keyword in alone for keyword, _ in sent):
            keyword = query.terms[0][0] if query.terms else "everything"
            can = ", ".join(sorted(alone)) or "nothing"
            raise Unanswerable(
                keyword, f"add a term that the server answers as it is meant ({can}), of plain text"
            )
        return Narrowed(self._read(self._offered(sent), sent[0][0]).lazy())

    def instances(self, series_keys: pl.Series) -> pl.DataFrame:
        """The instances of these series, sorted by series_key, then SOPInstanceUID. Identified.

        ``path`` is the address of an object on the server; ``mtime_ns`` stands for its state.
        """
        keys = series_keys.cast(pl.String).unique().implode()
        if self.capabilities.whole:
            self._everything()
        rows = self._instances(self.held).filter(pl.col("series_key").is_in(keys))
        there = pl.concat_str(pl.lit(f"{self.location}/"), "path").alias("path")
        return rows.with_columns(there).sort("series_key", "SOPInstanceUID", "path")

    def skipped(self, *, identified: bool = False) -> pl.DataFrame:
        """Every series that the server would not tell of: reason; identified also its UIDs."""
        given.a(bool, "identified", identified, "True or False")
        rows = [(*one, str(reason)) for one, reason in sorted(self.lost.items())]
        found = pl.DataFrame(rows, {**_SKIPPED, "reason": pl.String}, orient="row")
        return found if identified else found.select("reason").sort("reason")

    def again(self, query: Query) -> None:
        """Ask a question of a saved cohort again, so that its people are met.

        Raises:
            Unanswerable, ServerError: as ``narrow``.
        """
        if not self.capabilities.whole:
            self.narrow(query)

    def note(self, event: str, facts: Mapping[str, object]) -> None:
        """Add a line to the log that ``COHORTKIT_AUDIT`` names, where it names one.

        Raises:
            StoreError: it cannot be written.
        """
        note("", self.location, self.version, event, facts)

    def search(self, /, **terms: object) -> Cohort:
        """The series for which every term holds; no term at all is everything.

        Raises:
            UnknownKeyword: a word that is no column.
            QueryError: a value that the column cannot have.
            Unanswerable: the server cannot be asked that.
        """
        if not terms and not self.capabilities.whole:
            self.narrow(Query())
        return Cohort.start(self, **terms)

    def describe(self) -> Description:
        """How much of which modality, department and year there is, and how complete it is.

        It draws itself in a notebook, and holds no identity.

        Raises:
            Unanswerable: the server is too large to be read whole.
        """
        if not self.capabilities.whole:
            self.narrow(Query())
        return describe(self.series())

    def __repr__(self) -> str:
        lost = f", {len(self.lost):,} series could not be read" if self.lost else ""
        return f"<index on a {self.server.backend} server, version {self.version}{lost}>"

    def _everything(self) -> pl.DataFrame:
        """Every series of a small server."""
        if not self.held and not self.lost:
            self._read(self._series_of(self.server.studies([])), "everything")
        return series_of(self._instances(self.held))

    def _of_people(self) -> pl.DataFrame:
        """Every series of the people met: what else is known of them decides on ages and names.

        Raises:
            Unanswerable: a Patient ID that may not go out.
        """
        there = self._instances(self.held)
        if there.is_empty():
            raise Unanswerable("everything", "the server is too large to be read whole")
        found: dict[_Series, int] = {}
        for value in there["PatientID"].drop_nulls().unique().sort():
            texts = written("PatientID", Exactly(value))
            if not texts or not self.capabilities.proves("PatientID", Exactly(value)):
                raise Unanswerable(
                    "PatientID",
                    "a patient's other studies cannot be asked for by this id; leave out patients "
                    "whose id is not of letters, digits, dots, dashes and underscores alone",
                )
            found |= self._offered([("PatientID", texts)])
        self._read(found, "PatientID")
        return series_of(self._instances(self.held))

    def _offered(self, terms: Sequence[tuple[str, list[str]]]) -> dict[_Series, int]:
        """The series that the server offers for these terms; how many objects it says of each."""
        of_study = [term for term in terms if term[0] in STUDY]
        of_series = [term for term in terms if term[0] not in STUDY]
        if not of_study:
            found: list[Item] = []
            for asked in questions(of_series):
                found += self.server.series("", asked)
            return _named(found)
        studies: dict[str, Item] = {}
        for asked in questions(of_study):
            for one in self.server.studies(asked):
                studies[told(one, "StudyInstanceUID")] = one
        return self._series_of(studies.values(), of_series)

    def _series_of(
        self, studies: Iterable[Item], terms: Sequence[tuple[str, list[str]]] = ()
    ) -> dict[_Series, int]:
        """The series of these studies; a study that cannot be read is lost alone."""

        def of(study: str) -> list[Item]:
            found: list[Item] = []
            try:
                for asked in questions(terms):
                    found += self.server.series(study, asked)
            except ServerError as error:
                self.lost[study, ""] = _reason(error)
                return []
            return found

        names = sorted({told(one, "StudyInstanceUID") for one in studies})
        found: dict[_Series, int] = {}
        for name, items in zip(names, self._at_once(of, names), strict=True):
            found |= {(name, told(one, "SeriesInstanceUID")): _objects(one) for one in items}
        return found

    def _read(self, wanted: Mapping[_Series, int], keyword: str) -> pl.DataFrame:
        """Rows of these series; one that cannot be read is lost alone.

        Raises:
            Unanswerable: by this keyword; there are too many.
        """
        new = {one: objects for one, objects in sorted(wanted.items()) if one not in self.held}
        objects, most = sum(new.values()), self.server.most
        if most and objects > most:
            raise Unanswerable(
                keyword,
                f"the server offers {objects:,} objects for it, and each has to come here to be "
                f"looked at, which is done for {most:,}; add a term",
            )
        for one, made in self._at_once(self._one, list(new)):
            if isinstance(made, Reason):
                self.lost[one] = made
            else:
                self.held[one] = made
                self.lost.pop(one, None)
        return series_of(self._instances(wanted))

    def _one(self, one: _Series) -> tuple[_Series, pl.DataFrame | Reason]:
        """The instances of a series, or why there are none."""
        try:
            rows = self.server.objects(*one)
        except ServerError as error:
            return one, _reason(error)
        except (TaskFailure, Refusal) as error:
            return one, error.reason
        return one, Reason.FILE_VANISHED if rows.is_empty() else rows

    def _instances(self, series: Iterable[_Series]) -> pl.DataFrame:
        frames = [self.held[one] for one in sorted(set(series) & self.held.keys())]
        return pl.concat([frame_of([]), *frames])

    def _at_once(self, work: Callable[[_A], _B], items: Sequence[_A]) -> list[_B]:
        with ThreadPoolExecutor(self.server.at_once) as pool:
            return list(pool.map(work, items))


def _named(found: Iterable[Item]) -> dict[_Series, int]:
    return {whose(item): _objects(item) for item in found}


def _objects(item: Item) -> int:
    return counted(item, "NumberOfSeriesRelatedInstances")


def _reason(error: ServerError) -> Reason:
    return Reason.FILE_VANISHED if error.status in _GONE else Reason.READ_ERROR
