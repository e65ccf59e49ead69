"""Tables: patients, studies, series, instances, labels as Parquet, with a data dictionary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

from cohortkit import given
from cohortkit.model import Artifact, DeidentifiedSeries, Payload, PayloadKind
from cohortkit.payloads.rows import Row

if TYPE_CHECKING:
    from cohortkit.writers.sheet import Sheet

_UNSAID: Mapping[str, str] = MappingProxyType({})
_NONE: Mapping[str, Sheet] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Tables:
    """Writes released rows as ``tables/*.parquet`` and a data dictionary.

    Attributes:
        csv: CSV beside each Parquet. Text that a spreadsheet would take for a formula (it begins
            with ``=``, ``+``, ``-``, ``@``, a tab or a line end) gets an apostrophe before it;
            numbers are as they are. Lists are joined by a backslash, as in DICOM.
    """

    name: ClassVar[str] = "tables"
    accepts: ClassVar[frozenset[PayloadKind]] = frozenset()

    csv: bool = False

    def __post_init__(self) -> None:
        given.a(bool, "Tables(csv=…)", self.csv, "True or False")

    def write(
        self,
        payload: Payload,  # noqa: ARG002 - the protocol's: tables take no payload
        series: DeidentifiedSeries,  # noqa: ARG002 - the same
        folder: Path,  # noqa: ARG002 - the same
        stem: str,  # noqa: ARG002 - the same
    ) -> list[Artifact]:
        """Nothing: tables come from all series at once, see ``finish``."""
        return []

    def finish(
        self,
        rows: Iterable[Mapping[str, Iterable[Row]]],
        treatment: Mapping[str, str] = _UNSAID,
        top: Mapping[str, Sheet] = _NONE,
    ) -> dict[str, bytes]:
        """Every file by name. Pure: the same rows in any order give the same bytes.

        Args:
            rows: by table, as ``payloads.rows`` makes them, of one series after the other; in the
                order of patient, study and series they need not be in memory at once.
            treatment: what the recipe did, in words, by DICOM keyword; for the dictionary.
            top: the tables of tasks and files, which are told of in the dictionary, too.
        """
        from cohortkit.writers.parquet import files  # noqa: PLC0415 - no worker finishes, nor loads polars

        return files(rows, treatment, top, csv=self.csv)
