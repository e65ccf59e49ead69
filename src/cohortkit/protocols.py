"""The doors of the house, each with its contract. An adapter is one file behind one door."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from cohortkit.model import (
    Artifact,
    Capabilities,
    DeidentifiedSeries,
    Names,
    Payload,
    PayloadKind,
    Person,
    Query,
    Reason,
    Record,
    Refused,
    SourceInstance,
    Task,
)

if TYPE_CHECKING:
    import numpy as np
    import polars as pl  # a worker does without it: a third of its start
    from numpy.typing import NDArray


@runtime_checkable
class Index(Protocol):
    """A place that knows which objects there are.

    Contract:
        - columns are DICOM keywords typed by VR (DA → Date, DS and IS → numbers, VM > 1 → List);
          normalised columns and bookkeeping are snake_case;
        - ``series()`` has one row a series with a unique, opaque ``series_key`` (text), and the
          columns of patient and study repeated;
        - what cannot be answered is refused by name, never answered with less;
        - the same ``version`` gives the same answers.
    """

    @property
    def version(self) -> str:
        """Which state of the index this is."""
        ...

    @property
    def location(self) -> str:
        """What ``ck.open_index`` takes to come back here; empty for an index in memory."""
        ...

    def series(self) -> pl.LazyFrame:
        """Every series. Identified."""
        ...

    def instances(self, series_keys: pl.Series) -> pl.DataFrame:
        """The instances of these series, sorted by series_key, then SOPInstanceUID. Identified.

        At least the columns ``series_key, path, size, mtime_ns, SOPInstanceUID, SOPClassUID``.
        ``path`` is of a file, or an address on a server (``dicomweb+https://…``, ``dimse://…``);
        then ``mtime_ns`` stands for the state of the object, and ``size`` is 0.
        """
        ...


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What a backend left after the terms that it could be trusted with.

    Attributes:
        rows: series with every column of the index, in one order. Identified.
        whole: patients, studies, series and instances of the whole index, so that what was left
            out can be counted; None where the backend cannot tell.
        close: in the same order, those of the rows that no term the backend proved rules out; of
            what these leave out only what the terms ask is read. None: the rows.
    """

    rows: pl.LazyFrame
    whole: tuple[int, int, int, int | None] | None = None
    close: pl.LazyFrame | None = None


@runtime_checkable
class Narrowing(Protocol):
    """An index with a server behind it, which is asked for the rows that may be meant.

    Contract:
        - a term goes out only if ``capabilities`` proves its keyword and predicate, and nothing
          of an identifier ever goes out as a pattern;
        - the answer holds every series for which the question is true; where ``unknown``, every
          one for which its first term is not false, for what each term leaves out or cannot know
          is counted; others may be among them, for it is asked again here;
        - what can be had neither by a proved term nor by reading all is refused by name
          (``Unanswerable``);
        - an answer that may have been cut short is an error, never an answer.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What was proved at connect."""
        ...

    def narrow(self, query: Query) -> Narrowed:
        """The series that may be meant.

        Raises:
            Unanswerable: a term that this backend cannot answer.
            StoreError: the server is gone, or its answer is none.
        """
        ...


@runtime_checkable
class Noting(Protocol):
    """An index that several people ask, of which a log is kept."""

    def note(self, event: str, facts: Mapping[str, object]) -> None:
        """Add a line, durable when this returns.

        Args:
            event: ``search`` or ``export``.
            facts: question and counts as plain JSON values. Identified.

        Raises:
            StoreError: the log cannot be written: what is not noted is not answered.
        """
        ...


@runtime_checkable
class Source(Protocol):
    """A place that hands over objects.

    Contract:
        - instances come in the order of ``task.files``, one for each;
        - headers are complete but for the pixels, and pixels are a handle;
        - what is not there or not the same any more is a TaskFailure, never a shorter list;
        - nothing is written but in ``scratch``.
    """

    def fetch(self, task: Task, scratch: Path) -> tuple[SourceInstance, ...]:
        """The objects of one series.

        Args:
            task: the series.
            scratch: where what has to be brought here may lie, for this task alone; made when it
                is needed, and removed by whoever asks when the task is done.

        Raises:
            TaskFailure: an object has vanished, changed or cannot be read.
            Refusal: an object is not what the index said.
        """
        ...


class Writer(Protocol):
    """A kind of output. A frozen dataclass of plain options, so that it pickles and compares.

    Contract:
        - takes payloads and de-identified series only;
        - writes inside ``folder`` only, under names that begin with ``stem``;
        - the same payload gives the same bytes on any machine;
        - every header field is from an allow-list of its own.
    """

    name: ClassVar[str]
    accepts: ClassVar[frozenset[PayloadKind]]

    def write(
        self, payload: Payload, series: DeidentifiedSeries, folder: Path, stem: str
    ) -> list[Artifact]:
        """Write one payload; paths in the artifacts are relative to ``folder``.

        Raises:
            Refusal: the payload has no exact place in this format.
        """
        ...


@runtime_checkable
class Shaping(Protocol):
    """A writer with policies of its own: what it writes of a payload that others would refuse."""

    def shaped(self, item: Payload | Refused) -> Iterator[Payload | Refused]:
        """What is to be written instead of this item, or why it is not.

        Every instance of the item is in at least one of the answers. A Volume says in
        ``accepted`` what was let pass.

        Raises:
            TaskFailure: the pixels could not be read this time.
        """
        ...


@runtime_checkable
class Gathering(Protocol):
    """A writer that makes something more of all that it wrote of a series, such as a contact sheet.

    Contract: pieces are small, whatever the payload is.
    """

    def pieces(self, payload: Payload, series: DeidentifiedSeries) -> Sequence[object]:
        """What is to be kept of a payload that was written; asked once for each."""
        ...

    def gathered(
        self, pieces: Sequence[object], series: DeidentifiedSeries, folder: Path, stem: str
    ) -> list[Artifact]:
        """Write what the pieces make; asked once a series, where there is at least one.

        Args:
            pieces: of all payloads, in the order in which these were written.
            series: whose payloads they are.
            folder: as for ``write``.
            stem: as for ``write``.
        """
        ...


@runtime_checkable
class Placing(Protocol):
    """A writer that chooses the names of its folders and files itself.

    Contract: pure; two series of a study never share a stem.
    """

    def folder(self, names: Names) -> str:
        """The folder of a study, below that of the output."""
        ...

    def stem(self, names: Names) -> str:
        """What the names of all that is written of a series begin with."""
        ...


@runtime_checkable
class Keeping(Protocol):
    """A writer that keeps rows of what it wrote, to finish with."""

    def rows(
        self, artifacts: Iterable[Artifact], release: Path, names: Names
    ) -> Mapping[str, tuple[Mapping[str, object], ...]]:
        """Rows by table, of one series; plain values only."""
        ...


class Defacer(Protocol):
    """A way to say what of a volume shows a face. A plain function, importable by name.

    Contract:
        - the answer is True where a voxel is to be blanked, and has the shape of ``values``;
        - None where it is not sure where the face is: then the series is refused by name;
        - the same volume gives the same answer, and nothing is written or kept;
        - the answer's border and shape tell nothing of the face: whoever gets the result sees them.
    """

    def __call__(
        self,
        values: NDArray[Any],
        affine: NDArray[np.float64],
        modality: str,
        /,
    ) -> NDArray[np.bool_] | None:
        """What is to be blanked.

        Args:
            values: (i, j, k), read only; HU where the modality is CT, else without unit. Of a
                volume over time the greatest of each voxel.
            affine: (4, 4), voxel → mm in RAS+.
            modality: CT, MR, PT, NM or empty.
        """
        ...


class Pseudonyms(Protocol):
    """Maker of identities that mean nothing without the key, or without key and table.

    Contract: the same input gives the same output in every process, run and machine (of random ids:
    with the same table); inputs are trimmed of blanks and NUL, zeros kept, NFC; another key, table
    or project has nothing in common.
    """

    def patient(self, person: Person) -> str:
        """A name for a person: ``p`` and 16 characters of a-z2-7."""
        ...

    def study(self, study_instance_uid: str) -> str:
        """A name for a study: ``s`` and 16 characters of a-z2-7."""
        ...

    def series(self, series_instance_uid: str) -> str:
        """A name for a series: ``r`` and 16 characters of a-z2-7."""
        ...

    def uid(self, uid: str) -> str:
        """A UID under 2.25 that is a valid UUID; one domain for all kinds of UID."""
        ...

    def shift(self, person: Person, low: int, high: int) -> int:
        """Whole days by which a person's dates move: in [low, high], never 0."""
        ...

    def token(self, domain: str, value: str) -> str:
        """A token for any other identifier: 16 characters of a-z2-7."""
        ...

    def held(self, domain: str, value: str) -> str:
        """The token if there is one already, else empty: nothing is made."""
        ...

    def held_uid(self, uid: str) -> str:
        """The new UID if there is one already, else empty: nothing is made."""
        ...

    def one(self, person: Person) -> Person:
        """Under which identity a person is released: another where two are merged."""
        ...

    def together(self) -> AbstractContextManager[None]:
        """What is asked inside is stored in one go, and not before the end is it durable."""
        ...


class Engine(Protocol):
    """A way to run tasks.

    Contract:
        - yields (task number, record or the reason why there is none) once for each task, in any
          order;
        - a worker that dies costs its task a retry and nothing else.
    """

    def run(
        self, work: Callable[[Task], Record], tasks: Iterable[Task]
    ) -> Iterator[tuple[int, Record | Reason]]:
        """Do the work of every task."""
        ...
