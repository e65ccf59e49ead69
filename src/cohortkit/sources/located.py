"""Objects from where their index says: a path, a place in a container, an address on a server."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from cohortkit.dicom.members import file_of, split
from cohortkit.dimse.address import PREFIXES
from cohortkit.errors import UsageError
from cohortkit.model import SourceInstance, Task
from cohortkit.net import WEB
from cohortkit.protocols import Source
from cohortkit.sources.contained import Contained
from cohortkit.sources.dimse import Dimse
from cohortkit.sources.files import Files
from cohortkit.sources.wado import Wado


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """The source of every index. Implements ``protocols.Source``.

    Attributes:
        web: of what lies on DICOMweb servers.
        dimse: of what lies on DIMSE servers.
    """

    web: Wado = field(default_factory=Wado)
    dimse: Dimse = field(default_factory=Dimse)

    def fetch(self, task: Task, scratch: Path) -> tuple[SourceInstance, ...]:
        """The objects of one series, each from where it is.

        Raises:
            TaskFailure: an object has vanished, changed or cannot be read.
            Refusal: an object is not what the index said.
        """
        places = _places([task])
        source: Source = Files()
        if any(map(_of_dimse, places)):
            source = self.dimse
        elif any(map(elsewhere, places)):
            source = self.web
        elif any(map(split, places)):
            source = Contained()
        return source.fetch(task, scratch)

    def demand(self, tasks: Iterable[Task]) -> None:
        """Refuse to begin where nothing is to be had: else every series would fail alone.

        Raises:
            ServerError: a server cannot be reached, or does not let us in.
            UsageError: none of the files can be seen, and the folder of them all is empty or gone.
        """
        places = _places(tasks)
        for address in sorted({one.rpartition("/studies/")[0] for one in places if elsewhere(one)}):
            if _of_dimse(address):
                self.dimse.peer(address).echo()
            else:
                self.web.session(address.removeprefix(WEB)).page("studies", [("limit", "1")])
        paths = {file_of(one) for one in places if not elsewhere(one)}
        if not paths or any(map(os.path.lexists, paths)):
            return
        folder = os.path.commonpath([os.path.dirname(path) for path in paths])  # noqa: PTH120 - text
        if os.path.isdir(folder) and any(os.scandir(folder)):  # noqa: PTH112 - no error if hidden
            return
        raise UsageError(
            "the archive is not there: no file that the index names can be seen. Is it mounted? "
            "If it was moved, scan it where it is now, and search again"
        )


def elsewhere(place: str) -> bool:
    """Whether this is an address on a server, and no path."""
    return place.startswith((f"{WEB}http://", f"{WEB}https://", *PREFIXES))


def _of_dimse(place: str) -> bool:
    return place.startswith(PREFIXES)


def _places(tasks: Iterable[Task]) -> list[str]:
    return [file.path for task in tasks for file in task.files]
