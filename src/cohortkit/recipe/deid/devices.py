"""The devices that deid knows: which draw names, by their headers, and where.

They are read from the deid package that is installed and stand nowhere else. Only labels that say
what to blank are taken: what deid lets pass is judged here as any other image, and what it flags
without a place is refused anyway where no rule fits.
"""

from __future__ import annotations

from functools import cache

from cohortkit.recipe import deid_text
from cohortkit.recipe.deid.labels import rules_of
from cohortkit.recipe.deid.read import read
from cohortkit.recipe.model import Deed, PixelRule

ORIGIN = "deid"
_FILE = "deid.dicom"


@cache
def device_rules() -> tuple[PixelRule, ...]:
    """A rule for each label of deid's own recipe that brings coordinates.

    Rectangles reach beyond the image in many of them, and are cut at its edge as deid does. A label
    that asks for an attribute which does not exist (there are a few) fits nothing, and is left out.

    Raises:
        MissingDependency: deid is not installed.
    """
    deid_text.required()
    reading = read(deid_text.shipped()[_FILE].read_text("utf-8"), _FILE, several=False)
    made = [rules_of(block, ORIGIN)[0] for block in reading.blocks]
    return tuple(rule for rules in made for rule in rules if rule.deed is Deed.BLANK)
