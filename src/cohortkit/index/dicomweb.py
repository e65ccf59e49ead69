"""A DICOMweb server as an index: QIDO-RS finds, WADO-RS tells every header attribute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import polars as pl

from cohortkit.errors import TaskFailure
from cohortkit.index.dicomweb_ask import pages
from cohortkit.index.dicomweb_rows import instances_of
from cohortkit.index.served import WHOLE, ServedIndex
from cohortkit.index.served_ask import Term
from cohortkit.index.served_rows import Item, told, whose
from cohortkit.net import WEB, Session, below
from cohortkit.reasons import Reason


@dataclass(frozen=True, repr=False)
class Qido:
    """A DICOMweb server. Implements ``served.Server``.

    Attributes:
        session: with it.
    """

    session: Session = field(repr=False)
    backend: ClassVar[str] = "DICOMweb"
    at_once: ClassVar[int] = 4
    small: ClassVar[int] = 0
    most: ClassVar[int] = 0
    limited: ClassVar[bool] = False
    relational: ClassVar[bool] = True

    @property
    def location(self) -> str:
        """``dicomweb+https://…``, without credentials."""
        return f"{WEB}{self.session.url}"

    def studies(self, terms: Sequence[Term], most: int = 0) -> list[Item]:
        """All studies for these terms, or the first ``most``.

        Raises:
            ServerError: no answer, or one that may have been cut short.
        """
        return pages(self.session, "studies", terms, "StudyInstanceUID", most)

    def series(self, study: str, terms: Sequence[Term], most: int = 0) -> list[Item]:
        """All series for these terms, of one study or (``""``) of all.

        Raises:
            ServerError: as ``studies``, and an identifier that no address can hold.
        """
        path = below("studies", study, "series") if study else "series"
        return pages(self.session, path, terms, "SeriesInstanceUID", most)

    def objects(self, study: str, series: str) -> pl.DataFrame:
        """One row an object of a series.

        Raises:
            ServerError: no answer, or one that is none.
            TaskFailure: ``another-object``.
        """
        items = self.session.page(below("studies", study, "series", series, "metadata")).items
        if any(whose(one) != (study, series) or not told(one, "SOPInstanceUID") for one in items):
            raise TaskFailure(Reason.ANOTHER_OBJECT)
        return instances_of(items)


@dataclass(frozen=True, repr=False, eq=False)
class DicomWebIndex(ServedIndex):
    """A DICOMweb server as an index, as ``ServedIndex`` is one."""

    @classmethod
    def open(cls, location: str, *, whole: int = WHOLE) -> DicomWebIndex:
        """Connect, and find out what the server can be asked.

        Args:
            location: ``dicomweb+https://host/path``.
            whole: how many studies a server may have to be read whole.

        Raises:
            ServerError: it cannot be reached, does not let us in, or offers no study.
            UsageError: the address is none, or holds credentials.
        """
        return cls.connected(Qido(Session(location.removeprefix(WEB))), whole)
