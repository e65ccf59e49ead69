"""An element as functions that were written for deid take it."""

from __future__ import annotations

from pydicom.dataelem import DataElement


class Element:
    """What deid's ``func:`` functions get as ``field``.

    Attributes:
        element: a copy; changing it changes nothing.
        name: keywords of the sequences around it and its own, joined by two underscores.
        uid: tags and item numbers, joined by two underscores.
    """

    def __init__(self, element: DataElement, name: str, uid: str, *, is_filemeta: bool) -> None:
        self.element = element
        self.name = name
        self.uid = uid
        self.is_filemeta = is_filemeta

    @property
    def tag(self) -> str:
        """``(gggg,eeee)``."""
        return str(self.element.tag)

    @property
    def stripped_tag(self) -> str:
        """``ggggeeee``."""
        return f"{int(self.element.tag):08X}"
