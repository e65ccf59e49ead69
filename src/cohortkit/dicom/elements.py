"""Walk over the elements of a plain little-endian file: explicit or implicit, in tag order.

This is the time of a scan. Whatever is not plain raises ``NotPlain``, and is pydicom's.
"""

from __future__ import annotations

from io import FileIO
from struct import Struct

from cohortkit.dicom.layout import LONG_VRS, SHORT_VRS
from cohortkit.dicom.runs import LARGEST, Head, Runs

_WINDOW = 64 * 1024
_MAX_VALUE = 1024 * 1024
_MAX_DEPTH = 64
_UNDEFINED = 0xFFFFFFFF
_ITEM = 0xFFFEE000
_ITEM_END = 0xFFFEE00D
_SEQUENCE_END = 0xFFFEE0DD
_ITEM_GROUP = 0xFFFE
_HEAD_SIZE = 8
_LONGEST_HEAD = 12
_VRS = {code: code.decode() for code in LONG_VRS | SHORT_VRS}
_explicit = Struct("<HH2sH").unpack_from
_implicit = Struct("<HHL").unpack_from
_long = Struct("<L").unpack_from
Found = dict[int, tuple[str, bytes]]
"""VR ("" where the file has none) and bytes, by tag."""


class NotPlain(Exception):  # noqa: N818 - no error: the other way is taken
    """The file is not of the plain kind."""


def _ended(found: Found, tag: int, before: int) -> Found:
    """What was found, where the last wanted tag is passed in the right order."""
    if tag <= before or tag >> 16 == _ITEM_GROUP:
        raise NotPlain
    return found


class Walk:
    """One pass over the elements of a plain little-endian file, through a sliding window."""

    def __init__(self, file: FileIO, head: bytes, at: int, *, implicit: bool) -> None:
        self._file = file
        self._data = head
        self._at = at  # in the window
        self._base = 0  # of the window in the file
        self._implicit = implicit
        self._element = self._implicit_element if implicit else self._explicit_element

    def collect(self, runs: Runs, last: int) -> Found:  # noqa: C901, PLR0912 - the scan's time
        """VR and bytes of the wanted elements.

        Args:
            runs: what is wanted, and what is known of files with this encoding.
            last: the last tag that is looked at.

        Raises:
            NotPlain: something is not plain.
        """
        found: Found = {}
        alone: list[Head] = []
        before, known, wanted, implicit = -1, runs.known, runs.wanted, self._implicit
        data, at, end = self._data, self._at, len(self._data)
        while True:
            if at + _LONGEST_HEAD > end:
                if not self._moved(at):
                    break
                data, at, end = self._data, self._at, len(self._data)
            run = known.get(data[at : at + _HEAD_SIZE])
            if run is not None and before < run.first and run.last <= last and at + run.size <= end:
                heads = run.layout.unpack_from(data, at)
                if heads == run.bytes_of or (run := runs.shorter(run, heads)):
                    for tag, name, start, stop in run.values:
                        found[tag] = name, data[at + start : at + stop]
                    before = run.last
                    at += run.size
                    if alone:
                        alone = runs.learn(alone)
                    continue
            group, number, vr, length = _explicit(data, at)
            tag = group << 16 | number
            if tag <= before or tag > last:
                runs.learn(alone)
                return _ended(found, tag, before)
            before, begin = tag, at
            at += _HEAD_SIZE
            if implicit:
                name, length = "", _long(data, at - 4)[0]
            elif vr in SHORT_VRS:
                name = _VRS[vr]
            elif vr in LONG_VRS and at + 4 <= end:
                name, length = _VRS[vr], _long(data, at)[0]
                at += 4
            else:
                raise NotPlain
            if length > LARGEST:
                alone = runs.learn(alone)
                if length == _UNDEFINED:
                    data, at, end = self._behind_sequence(at, name)
                    continue
            else:
                alone.append((tag, data[begin:at], length, name))
            if tag in wanted:
                if at + length > end:
                    data, at, end = self._with_value(at, length)
                found[tag] = name, data[at : at + length]
            at += length
        runs.learn(alone)
        return found

    def _moved(self, at: int) -> bool:
        """Slide the window to here; False at the very end of the file."""
        self._at = at
        self._slide(_LONGEST_HEAD)
        return self._holds(_HEAD_SIZE)

    def _with_value(self, at: int, length: int) -> tuple[bytes, int, int]:
        """Slide the window so that a whole value lies in it."""
        self._at = at
        if length > _MAX_VALUE or not self._more(length):
            raise NotPlain
        return self._data, self._at, len(self._data)

    def _behind_sequence(self, at: int, vr: str) -> tuple[bytes, int, int]:
        self._at = at
        self._skip_sequence(vr)
        return self._data, self._at, len(self._data)

    def _explicit_element(self) -> tuple[int, str, int]:
        """Tag, VR and length of the element here; stands at its value afterwards."""
        group, number, vr, length = _explicit(self._data, self._at)
        self._at += 8
        if vr in SHORT_VRS:
            return group << 16 | number, vr.decode(), length
        tag = group << 16 | number
        if vr in LONG_VRS:
            if not self._more(4):
                raise NotPlain
            length = _long(self._data, self._at)[0]
            self._at += 4
            return tag, vr.decode(), length
        if group == _ITEM_GROUP:  # items have no VR
            return tag, "", _long(self._data, self._at - 4)[0]
        raise NotPlain

    def _implicit_element(self) -> tuple[int, str, int]:
        group, number, length = _implicit(self._data, self._at)
        self._at += 8
        return group << 16 | number, "", length

    def _more(self, need: int) -> bool:
        """Have so many bytes from here in the window; False at the very end of the file."""
        if self._at + need <= len(self._data):
            return True
        self._slide(need)
        return self._holds(need)

    def _slide(self, need: int) -> None:
        self._base += self._at
        self._at = 0
        self._file.seek(self._base)
        self._data = self._file.read(max(need, _WINDOW))

    def _holds(self, need: int) -> bool:
        if len(self._data) >= need:
            return True
        if self._data or self._base > self._file.seek(0, 2):
            raise NotPlain  # cut in the middle: the other way says how
        return False

    def _skip_sequence(self, vr: str) -> None:
        """Step over a sequence of undefined length, to behind its end."""
        if vr not in {"SQ", ""}:
            raise NotPlain
        open_items = [False]  # for each open sequence, whether one of its items is open
        while open_items:
            if len(open_items) > _MAX_DEPTH or not self._more(8):
                raise NotPlain
            tag, vr, length = self._element()
            inside = open_items[-1]
            if tag == (_ITEM_END if inside else _SEQUENCE_END):
                if inside:
                    open_items[-1] = False
                else:
                    open_items.pop()
            elif not inside and tag != _ITEM:
                raise NotPlain
            elif length != _UNDEFINED:
                self._at += length
            elif not inside:
                open_items[-1] = True
            elif vr in {"SQ", ""}:
                open_items.append(False)
            else:
                raise NotPlain
