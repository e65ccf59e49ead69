"""Elements while a recipe changes them; the source keeps its own."""

from __future__ import annotations

from copy import copy, deepcopy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from pydicom import datadict
from pydicom._dicom_dict import DicomDictionary
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.tag import BaseTag, Tag

from cohortkit.compat.script import Kind, Line, Script
from cohortkit.compat.values import MADE, converted, given, jittered
from cohortkit.recipe.deid.fields import Names
from cohortkit.recipe.deid.handed import Element

_META = 0x0002
_ADDED_VR = "ST"

D = TypeVar("D", bound=Dataset)


def elements_of(holder: Dataset) -> dict[BaseTag, DataElement | RawDataElement]:
    """The elements of a dataset as they lie there, not decoded; no copy."""
    return holder._dict  # type: ignore[return-value]  # noqa: SLF001 - iterating a Dataset decodes


def copied(source: D) -> D:
    """The same elements in a dataset of its own."""
    new = source.__class__.__new__(source.__class__)
    new.__dict__.update(source.__dict__)
    new.__dict__["_dict"] = dict(elements_of(source))
    new.__dict__["_private_blocks"] = {}
    return new


@dataclass(slots=True, eq=False)
class Live:
    """An element that lines can still change.

    Attributes:
        holder: the dataset or item that it lies in.
        parent: the sequence around it.
        alive: it is still there.
        emptied: it was a sequence and holds no item any more.
    """

    holder: Dataset
    tag: BaseTag
    kind: Kind
    uid: str
    parent: Live | None = None
    meta: bool = False
    alive: bool = True
    emptied: bool = False

    @property
    def there(self) -> bool:
        """Whether it and all around it are still there."""
        live: Live | None = self
        while live is not None:
            if not live.alive or (live.parent is not None and live.parent.emptied):
                return False
            live = live.parent
        return True

    def element(self) -> DataElement:
        """The element as it is, decoded."""
        return self.holder[self.tag]


class Change:
    """What single lines do to single elements."""

    def __init__(self, ds: Dataset, item: dict[str, Any]) -> None:
        self.ds = ds
        self.item = item

    def do(self, line: Line, live: Live) -> None:
        """One line that is not ADD, done to one element."""
        match line.verb:
            case "BLANK":
                self._put(live, None)
                live.emptied = True
            case "REPLACE":
                self._replace(live, self._value(line.value, live))
            case "JITTER":
                self._jitter(line, live)
            case "REMOVE":
                self._remove(line, live)

    def _remove(self, line: Line, live: Live) -> None:
        if line.value is not None and not self._value(line.value, live):
            return
        if not live.kind.spared:
            del elements_of(live.holder)[live.tag]
            live.alive = False

    def _jitter(self, line: Line, live: Live) -> None:
        element = live.element()
        if not element.value:
            return
        days = self._value(line.value, live)
        if days is None:
            return
        moved = jittered(element, days)
        if moved not in (None, ""):
            self._replace(live, self._value(moved, live))

    def _replace(self, live: Live, value: Any) -> None:  # noqa: ANN401 - whatever was given
        if value is not None:
            self._put(live, value)

    def _put(self, live: Live, value: Any) -> None:  # noqa: ANN401 - as above
        """A value in place of that of an element; the source's own element stays as it is."""
        elements = elements_of(live.holder)
        there = elements[live.tag]
        names = live.kind.names
        if isinstance(there, RawDataElement) and names.vr != "SQ":
            new = DataElement(live.tag, names.vr, value)  # what was there need not be decoded
            if names.private:
                new.private_creator = names.creator
            elements[live.tag] = new
            return
        new = copy(live.holder[live.tag])
        new.value = value
        live.holder[live.tag] = new

    def _value(self, value: Any, live: Live) -> Any:  # noqa: ANN401 - as above
        vr = live.kind.names.vr
        if isinstance(value, str) and not value.startswith(MADE):
            return converted(value, vr)
        element = live.element()
        if isinstance(value, str) and value.startswith("func:"):
            element = deepcopy(element)
        names = live.kind.names
        asked = Element(element, names.nested, live.uid, is_filemeta=live.meta)
        return given(value, self.item, self.ds, asked, vr=vr)

    def target(self, written: str) -> tuple[int, str]:
        """Tag and VR of what an ADD line adds.

        Raises:
            ValueError: deid cannot add by this name.
        """
        return _target(written)

    def add(self, script: Script, line: Line, live: Live | None) -> Live | None:
        """One ADD line.

        Args:
            script: whose line it is.
            line: the line.
            live: the element of its tag, if lines can change one.
        """
        with_vr = self.ds[line.written].VR if line.written in self.ds else None
        value = given(line.value or "", self.item, self.ds, line.written, vr=with_vr)
        if value is None:
            return live
        if live is not None and live.there:
            self._replace(live, value)
            return live
        tag, vr = self.target(line.written)
        holder = self.ds.file_meta if tag >> 16 == _META else self.ds
        holder[BaseTag(tag)] = DataElement(tag, vr, value)
        names = Names(tag, vr, line.written, datadict.keyword_for_tag(tag), None, _uid(tag))
        return Live(holder, BaseTag(tag), script.kind(names), _uid(tag), meta=tag >> 16 == _META)


@lru_cache(maxsize=4096)
def _target(written: str) -> tuple[int, str]:
    tag = datadict.tag_for_keyword(written)
    if tag is not None and tag in DicomDictionary:
        return tag, DicomDictionary[tag][0]
    return int(Tag(f"0x{written}")), _ADDED_VR


def _uid(tag: int) -> str:
    return str(BaseTag(tag))


def opened(holder: Dataset, tag: BaseTag) -> Items:
    """The items of a sequence, each a copy that may be changed."""
    elements = elements_of(holder)
    raw = isinstance(elements[tag], RawDataElement)
    element = holder[tag]
    items: Items = element.value
    if raw:
        return items
    element = copy(element)
    items = copy(items)
    items._list = [copied(one) for one in items]  # noqa: SLF001 - setting items checks and links each
    element._value = items  # noqa: SLF001 - the same
    elements[tag] = element
    return items
