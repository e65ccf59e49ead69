"""What is left of a header, when most of its elements stood in the header before as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from pydicom.tag import BaseTag

from cohortkit.deidentify.private import is_creator
from cohortkit.deidentify.values import Element
from cohortkit.model.alike import differing


@dataclass(slots=True)
class Left:
    """What is left of the elements of one header.

    Attributes:
        held: the elements.
        read_as: what else decides about them: character sets and SOP class.
        tags: those that are still to be judged; default: all.
        released: what has passed, but for the private creators.
        private: the private ones of these.
        again: those that are told of in every file, and so judged in every file.
        dummies: tags of dummies.
    """

    held: Mapping[BaseTag, Element]
    read_as: tuple[tuple[str, ...], str] = ((), "")
    released: dict[BaseTag, Element] = field(default_factory=dict)
    private: set[int] = field(default_factory=set)
    again: set[BaseTag] = field(default_factory=set)
    dummies: set[int] = field(default_factory=set)
    tags: Sequence[BaseTag] | None = None

    def judged(self) -> Sequence[BaseTag]:
        """The tags of those that are still to be judged."""
        return [*self.held] if self.tags is None else self.tags

    def of(self, held: Mapping[BaseTag, Element], read_as: tuple[tuple[str, ...], str]) -> Left:
        """The same of the next header, in which the elements that it shares stay as they are."""
        changed = differing(held, self.held) if read_as == self.read_as else None
        if changed is None or any(is_creator(tag) for tag in changed):
            return Left(dict(held), read_as)
        return replace(
            self,
            held=dict(held),
            tags=sorted(changed | self.again),
            released=dict(self.released),
            private=set(self.private),
            again=set(self.again),
        )

    def take(self, tag: BaseTag, new: Element | None, creator: str | None, *, again: bool) -> None:
        """Keep what became of an element."""
        if new is not None:
            self.released[tag] = new
            if creator is not None:
                self.private.add(int(tag))
        elif self.released.pop(tag, None) is not None:
            self.private.discard(int(tag))
        if again:
            self.again.add(tag)
