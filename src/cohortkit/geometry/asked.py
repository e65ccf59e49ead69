"""A header that remembers what was asked of it, so that nobody has to list it.

What is made of a header is made of the elements that were asked for. Another header in which these
are the same therefore gives the same: it would be asked the same.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

from pydicom.dataset import Dataset


class Asked(dict[Any, Any]):
    """The elements of a header.

    Attributes:
        tags: of the elements that were asked for, whether they are there or not.
    """

    def __init__(self, held: MutableMapping[Any, Any]) -> None:
        super().__init__(held)
        self.tags: set[int] = set()
        self._held = held

    def __setitem__(self, tag: int, element: Any) -> None:  # noqa: ANN401 - as the data set holds it
        """An element is converted, which is done once for all."""
        super().__setitem__(tag, element)
        self._held[tag] = element

    def __getitem__(self, tag: int) -> Any:  # noqa: ANN401 - as the data set holds it
        self.tags.add(tag)
        return super().__getitem__(tag)

    def get(self, tag: int, default: Any = None) -> Any:  # noqa: ANN401 - as a dictionary
        """As of a dictionary."""
        self.tags.add(tag)
        return super().get(tag, default)

    def __contains__(self, tag: object) -> bool:
        if isinstance(tag, int):
            self.tags.add(tag)
        return super().__contains__(tag)

    def __iter__(self) -> Iterator[Any]:
        """Everything is asked for; so it is by ``keys``, ``values`` and ``items``."""
        return iter(self.keys())

    def keys(self) -> Any:  # noqa: ANN401 - a view that has no public name
        """As of a dictionary."""
        self.tags.update(super().keys())
        return super().keys()

    def values(self) -> Any:  # noqa: ANN401 - a view that has no public name
        """As of a dictionary."""
        self.tags.update(super().keys())
        return super().values()

    def items(self) -> Any:  # noqa: ANN401 - a view that has no public name
        """As of a dictionary."""
        self.tags.update(super().keys())
        return super().items()


def watched(header: Dataset) -> tuple[Dataset, Asked]:
    """The same header, only read, and what will be asked of it."""
    asked = Asked(header._dict)  # noqa: SLF001 - the elements themselves
    made = Dataset()
    made.__dict__.update(header.__dict__, _dict=asked)
    return made, asked
