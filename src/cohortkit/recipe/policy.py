"""What happens to an attribute under a recipe: pure, and the same for equal questions."""

from __future__ import annotations

from cohortkit.recipe.model import Decision, Recipe


class Policy:
    """A recipe, ready to decide.

    Ask once for each (tag, vr, creator) and remember the answer: it never changes.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe

    def decide(self, tag: int, vr: str, creator: str | None) -> Decision:
        """What happens to an attribute, at whatever depth.

        Args:
            tag: group and element as one number; for a private element with its block byte.
            vr: as the file (or the dictionary, for implicit VR) has it.
            creator: of a private element, trimmed; None where it has none.
        """
        raise NotImplementedError
