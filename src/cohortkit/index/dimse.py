"""A DIMSE server as an index: C-FIND finds, C-GET brings objects, whose headers are read.

A server tells of few attributes, and one that is absent cannot be told from one that it does not
know: so rows are made of the objects themselves, and nothing is asked of it but which there are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

import polars as pl

from cohortkit.dimse.address import Address
from cohortkit.dimse.find import find
from cohortkit.dimse.link import Peer
from cohortkit.dimse.series import Bringing, classes_of, plain
from cohortkit.errors import ServerError, Unanswerable
from cohortkit.index.dimse_rows import Rows, item_of
from cohortkit.index.served import WHOLE, ServedIndex
from cohortkit.index.served_ask import Term
from cohortkit.index.served_rows import Item, counted, told

_MOST: Final = 2_000  # objects of one answer, after which the server is stopped
_STUDY: Final = (
    "StudyInstanceUID",
    "PatientID",
    "StudyDate",
    "AccessionNumber",
    "StudyID",
    "NumberOfStudyRelatedSeries",
    "NumberOfStudyRelatedInstances",
)
_SERIES: Final = (
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "Modality",
    "BodyPartExamined",
    "SeriesDescription",
    "NumberOfSeriesRelatedInstances",
)
_CUT: Final = (
    "the server cuts its answers short: ask its owner to lift the limit of answers to a query"
)


@dataclass(repr=False)
class Dimse:
    """A DIMSE server. Implements ``served.Server``.

    Attributes:
        peer: who is asked.
        sure: an answer with fewer objects was not cut, since a longer one was given.
        studies_held: every study, of a server that has few.
        series_held: how many series it has; 0 where that is not sure.
    """

    peer: Peer
    sure: int = 0
    studies_held: dict[str, int] = field(default_factory=dict)
    series_held: int = 0
    backend: ClassVar[str] = "DIMSE"
    at_once: ClassVar[int] = 1
    small: ClassVar[int] = 5_000
    most: ClassVar[int] = 100_000

    @property
    def location(self) -> str:
        """``dimse://OUR_AE@host:port/ITS_AE``."""
        return self.peer.address.location

    def examine(self) -> None:
        """Find out how long an answer may be, and whether answers are cut.

        Raises:
            ServerError: they are; or no answer.
        """
        studies, whole = self._found("STUDY", _STUDY, {}, _MOST)
        self.sure = len(studies)
        if not whole:
            return
        held = {told(one, "StudyInstanceUID"): one for one in studies}
        self.studies_held = {
            uid: counted(one, "NumberOfStudyRelatedSeries") for uid, one in held.items()
        }
        for part in _parts(studies):
            self._demand_known(self._found("STUDY", _STUDY, {"StudyDate": part}, _MOST)[0])
        try:
            series, whole = self._found("SERIES", _SERIES, {}, _MOST)
        except ServerError:  # series are to be had study by study alone
            return
        self._demand_known(series)
        self.sure = max(self.sure, len(series))
        stated = self.studies_held.values()
        if whole and all(stated) and sum(stated) == len(series):
            self.series_held = len(series)

    def studies(self, terms: Sequence[Term], most: int = 0) -> list[Item]:
        """All studies for these terms, or the first ``most``.

        Raises:
            ServerError: no answer, or one that may have been cut short.
            Unanswerable: there are too many.
        """
        found, whole = self._found("STUDY", _STUDY, dict(terms), most or _MOST)
        if most and not whole:
            return found
        self._demand_whole(terms, whole=whole)
        if self.studies_held:
            self._demand_known(found)
        elif found and len(found) >= self.sure:
            raise ServerError(_CUT)
        return found

    def series(self, study: str, terms: Sequence[Term], most: int = 0) -> list[Item]:
        """All series for these terms, of one study or (``""``) of all.

        Raises:
            ServerError: no answer, one that may have been cut short, or one of another study.
            Unanswerable: there are too many.
        """
        keys = dict(terms) | ({"StudyInstanceUID": plain(study)} if study else {})
        found, whole = self._found("SERIES", _SERIES, keys, most or _MOST)
        if study and any(told(one, "StudyInstanceUID") not in {"", study} for one in found):
            raise ServerError("the server answers with another study than asked")
        if most and not whole:
            return found
        self._demand_whole(terms, whole=whole)
        there = self.studies_held.get(study, 0) if study else self.series_held
        if len(found) >= self.sure and len(found) != there:
            raise ServerError(_CUT)
        if not study and not all(told(one, "StudyInstanceUID") for one in found):
            raise ServerError("the server does not say of which study a series is")
        return found

    def objects(self, study: str, series: str) -> pl.DataFrame:
        """One row an object of a series.

        Raises:
            ServerError: no answer, or one that is none.
            TaskFailure, Refusal: what came is not what was asked for, or cannot be read.
        """
        classes = classes_of(self.peer, study, series)
        rows = Rows(study, series)
        Bringing(self.peer, study, series, rows.keep, lambda: rows.lacking(classes)).all(classes)
        return rows.frame()

    def _found(
        self, level: str, wanted: Sequence[str], keys: dict[str, str], most: int
    ) -> tuple[list[Item], bool]:
        """What is offered, each object once, and whether the server came to its end."""
        answer = find(self.peer, level, dict.fromkeys(wanted, "") | keys, most)
        uid = "StudyInstanceUID" if level == "STUDY" else "SeriesInstanceUID"
        items = [item_of(one, wanted) for one in answer.items]
        if not all(told(one, uid) for one in items):
            raise ServerError(f"the server's answer has an object without {uid}")
        once = {str(sorted(one.items())): one for one in items}
        return list(once.values()), answer.whole

    def _demand_known(self, found: Sequence[Item]) -> None:
        """Refuse a study that was not among all studies: these were cut."""
        uids = {told(one, "StudyInstanceUID") for one in found} - {""}
        if not uids <= self.studies_held.keys():
            raise ServerError(f"{_CUT}; or it has new studies: open it again")

    def _demand_whole(self, terms: Sequence[Term], *, whole: bool) -> None:
        if not whole:
            raise Unanswerable(
                terms[0][0] if terms else "everything",
                f"the server offers more than {_MOST:,} for it; add a term",
            )


@dataclass(frozen=True, repr=False, eq=False)
class DimseIndex(ServedIndex):
    """A DIMSE server as an index, as ``ServedIndex`` is one."""

    @classmethod
    def open(cls, location: str, *, whole: int = WHOLE) -> DimseIndex:
        """Connect, and find out what the server can be asked.

        Args:
            location: ``dimse://OUR_AE@host:port/ITS_AE``.
            whole: how many studies a server may have to be read whole.

        Raises:
            ServerError: it cannot be reached, does not let us in, offers no study, or cuts answers.
            UsageError: the address is none.
            MissingDependency: pynetdicom is not installed.
        """
        return cls.at(Peer(Address.of(location)), whole=whole)

    @classmethod
    def at(cls, peer: Peer, *, whole: int = WHOLE) -> DimseIndex:
        """The same of a server that is treated in another way.

        Raises:
            ServerError: as ``open``.
        """
        server = Dimse(peer)
        peer.echo()
        server.examine()
        return cls.connected(server, whole)


def _parts(studies: Sequence[Item]) -> list[str]:
    """Two ranges of Study Date that hold all studies with a date, about as many each."""
    days = sorted(day for one in studies if (day := told(one, "StudyDate")).isdecimal())
    middle = days[len(days) // 2] if days else ""
    try:
        next_day = dt.datetime.strptime(middle, "%Y%m%d").date() + dt.timedelta(1)  # noqa: DTZ007 - a day
    except (ValueError, OverflowError):
        return []
    return [f"-{middle}", f"{next_day:%Y%m%d}-"]
