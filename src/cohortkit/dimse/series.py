"""All objects of one series: what classes they are of, and each of them until none is lacking."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from typing import Final

from cohortkit.dicom.sop_classes import TABLE
from cohortkit.dimse.find import find
from cohortkit.dimse.get import Arrived, get, groups
from cohortkit.dimse.link import LONGEST_WAIT, Peer, Unfinished
from cohortkit.errors import ServerError, TaskFailure
from cohortkit.reasons import Reason

_UID: Final = re.compile(r"[A-Za-z0-9.-]{1,64}")  # real ones break the rules, but make no pattern
_IMAGE: Final = ("SOPInstanceUID", "SOPClassUID")
_MOST: Final = 100_000  # instances of a series that are told of


def plain(uid: str) -> str:
    """The same UID, if it may go out: a server may have told one that is a pattern or a list.

    Raises:
        ServerError: it may not.
    """
    if not _UID.fullmatch(uid):
        raise ServerError("an identifier that would be a pattern is not asked for")
    return uid


def classes_of(peer: Peer, study: str, series: str) -> dict[str, str]:
    """SOP Instance UID → SOP Class UID (perhaps empty) of what the server tells of a series.

    Raises:
        ServerError: no answer, or one that is none.
    """
    keys = {"StudyInstanceUID": plain(study), "SeriesInstanceUID": plain(series)}
    answer = find(peer, "IMAGE", keys | dict.fromkeys(_IMAGE, ""), _MOST)
    told = ([str(item.get(word) or "").strip("\0 ") for word in _IMAGE] for item in answer.items)
    return {uid: sop_class for uid, sop_class in told if uid}


class Bringing:
    """Brings a series: all of it at once, and one by one what did not come.

    Args:
        peer: who is asked.
        study: Study Instance UID.
        series: Series Instance UID.
        keep: takes each object as it comes.
        lacking: the SOP Instance UIDs that have not come yet.
    """

    def __init__(
        self,
        peer: Peer,
        study: str,
        series: str,
        keep: Callable[[Arrived], None],
        lacking: Callable[[], Sequence[str]],
    ) -> None:
        self.peer, self.lacking = peer, lacking
        self.keys = {"StudyInstanceUID": plain(study), "SeriesInstanceUID": plain(series)}
        self._keep = keep
        self._came = 0

    def all(self, classes: dict[str, str]) -> None:
        """Bring what is lacking.

        Args:
            classes: what ``classes_of`` gave.

        Raises:
            TaskFailure: ``file-vanished``, ``another-object``.
            ServerError: as many tries in a row as are allowed brought nothing.
            Refusal, TaskFailure: of ``keep``.
        """
        known = sorted(set(classes.values()) - {""})
        together = groups(known) if known else groups(list(TABLE))
        whole = len(self.lacking()) > 1 and not (known and len(together) > 1)
        left, wait = self.peer.tries, self.peer.back_off
        while lacking := self.lacking():
            before = self._came
            try:
                if whole:
                    self._together(together)
                else:
                    self._alone(lacking[0], classes, together)
            except Unfinished as broken:
                left = self.peer.tries if self._came > before else left - 1
                if left <= 0:
                    raise ServerError(str(broken)) from None
                whole = whole and self._came == before  # some came: the others one by one
                time.sleep(min(wait, LONGEST_WAIT))
                wait *= 2
                continue
            left, wait, whole = self.peer.tries, self.peer.back_off, False

    def _together(self, together: list[list[str]]) -> None:
        """The series, in as many associations as its classes may need."""
        for group in together:
            if self._asked(self.keys, group) or not self.lacking():
                return

    def _alone(self, uid: str, classes: dict[str, str], together: list[list[str]]) -> None:
        """One object by its own UID, in each association that it may need."""
        told = classes.get(uid)
        before = self._came
        keys = {**self.keys, "SOPInstanceUID": plain(uid)}
        for group in [[told]] if told else together:
            try:
                whole = self._asked(keys, group)
            except ServerError:
                if uid in classes:
                    raise
                whole = True  # it is not told of any more, and not sent
            if uid not in self.lacking():
                return
            if whole:
                vanished = self._came == before
                raise TaskFailure(Reason.FILE_VANISHED if vanished else Reason.ANOTHER_OBJECT)
        raise Unfinished("the server says that it could not send an object")

    def _asked(self, keys: dict[str, str], classes: Sequence[str]) -> bool:
        return get(self.peer, keys, classes, self._taken)

    def _taken(self, arrived: Arrived) -> None:
        self._keep(arrived)
        self._came += 1
