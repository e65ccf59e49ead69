"""Objects from a DIMSE server, as they are stored there (C-GET; PS3.4 C.4.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cohortkit.dimse.address import Address
from cohortkit.dimse.get import Arrived
from cohortkit.dimse.link import Peer
from cohortkit.dimse.series import Bringing, classes_of
from cohortkit.errors import TaskFailure, UsageError
from cohortkit.model import Reason, SourceInstance, Task
from cohortkit.sources.visit import Visit

_WHOLE = 86_400  # seconds of one answer; a task's own limit is shorter


@dataclass(frozen=True, slots=True, eq=False)
class Dimse:
    """The source of an index on a DIMSE server. Implements ``protocols.Source``.

    Attributes:
        peers: how each server is treated, by its address.
    """

    peers: dict[str, Peer] = field(default_factory=dict, repr=False)

    def fetch(self, task: Task, scratch: Path) -> tuple[SourceInstance, ...]:
        """The objects of one series: all over one association, and one by one what did not come.

        Args:
            task: whose files are addresses on a server.
            scratch: a folder of this task alone. What an earlier attempt left there, whole, is not
                asked for again.

        Raises:
            TaskFailure: ``file-vanished``; ``file-changed``, ``another-object``: what came is not
                what the index saw; ``read-error``: no answer, or one that is none.
            Refusal: an object cannot be read; ``too-large``: it goes on and on.
        """
        try:
            visit = Visit(task, scratch)
            if visit.lacking():
                self._bring(visit, task)
        except UsageError:  # a server's, or: no library
            raise TaskFailure(Reason.READ_ERROR) from None
        return visit.instances()

    def peer(self, address: str) -> Peer:
        """The server at an address."""
        return self.peers.setdefault(address, Peer(Address.of(address), whole=_WHOLE))

    def _bring(self, visit: Visit, task: Task) -> None:
        peer = self.peer(visit.address)
        where = (task.study_instance_uid, task.series_instance_uid)
        classes = classes_of(peer, *where)
        Bringing(peer, *where, _keeper(visit), visit.lacking).all(classes)


def _keeper(visit: Visit) -> Callable[[Arrived], None]:
    def keep(arrived: Arrived) -> None:
        visit.keep([arrived.meta, arrived.body], arrived.state)

    return keep
