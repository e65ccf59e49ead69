"""A recipe file while it is looked at: what is faulty is told, taken out, and the rest read on."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from cohortkit.recipe import entries, pixelentries
from cohortkit.recipe.hints import hint
from cohortkit.recipe.model import Basis

Loc = tuple[int | str, ...]

_FORMS: Mapping[tuple[str, ...], type[BaseModel]] = {
    (): entries.RecipeEntry,
    ("dates",): entries.DatesEntry,
    ("faces",): entries.FacesEntry,
    ("pixels",): pixelentries.PixelsEntry,
    ("text",): entries.TextEntry,
    ("pixels", "accept", "*"): pixelentries.AcceptEntry,
    ("pixels", "rules", "*"): pixelentries.PixelRuleEntry,
    ("pixels", "rules", "*", "blank", "*"): pixelentries.RectangleEntry,
    ("pixels", "rules", "*", "keep", "*"): pixelentries.RectangleEntry,
    ("rules", "*"): entries.RuleEntry,
    ("rules", "*", "private"): entries.PrivateEntry,
}
KINDS = {
    "string_type": "text in quotes",
    "int_type": "a whole number",
    "list_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
}
_STAND_INS = {"basis": Basis.EXPERT_DETERMINATION.value}
_LISTS: tuple[tuple[str, ...], ...] = (
    ("options",),
    ("rules",),
    ("pixels", "accept"),
    ("pixels", "rules"),
    ("text", "words"),
)


class Draft:
    """What is left of a document, and where each list item stood in the file.

    Attributes:
        faults: ``place: what is wrong`` for what does not fit the form.
        basis: whether the basis is the file's own and no stand-in.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.faults: list[str] = []
        self.basis = True
        self._left: dict[str, Any] = copy.deepcopy(dict(document))
        self._stood = {path: list(range(len(_at(document, path)))) for path in _LISTS}

    def read(self) -> entries.RecipeEntry:
        """The sound part of the document; the faults are kept."""
        while True:  # each turn takes something out or puts a stand-in in, so it ends
            try:
                return entries.RecipeEntry.model_validate(self._left)
            except ValidationError as error:
                details = error.errors(include_url=False)
                self.faults += [self._told(detail) for detail in details]
                # From the back, so that the places of what follows still hold.
                for loc in sorted({d["loc"] for d in details}, key=_from_the_back, reverse=True):
                    self._take_out(loc)

    def renumbered(self, fault: str) -> str:
        """A fault of the sound part with its list numbers as in the file."""

        def original(match: re.Match[str]) -> str:
            path = tuple(match[1].split("."))
            return f"{match[1]}[{self._stood[path][int(match[2])]}]"

        return re.sub(r"(pixels\.accept|pixels\.rules|rules)\[(\d+)\]", original, fault)

    def _take_out(self, loc: Loc) -> None:
        top = str(loc[0])
        if top in _STAND_INS:
            self._left[top] = _STAND_INS[top]
            self.basis = False
            return
        for path in _LISTS:
            number = loc[len(path)] if loc[: len(path)] == path and len(loc) > len(path) else None
            items = _at(self._left, path)
            if isinstance(number, int) and number < len(items):
                del items[number]
                del self._stood[path][number]
                return
        inner = self._left.get(top)
        if isinstance(inner, dict) and len(loc) > 1 and loc[1] in inner:
            del inner[loc[1]]
        else:
            self._left.pop(top, None)

    def _told(self, detail: ErrorDetails) -> str:
        return f"{self._place(detail['loc'])}: {_words(detail)}"

    def _place(self, loc: Loc) -> str:
        text = ""
        for depth, part in enumerate(loc):
            if isinstance(part, int):
                stood = self._stood.get(tuple(str(p) for p in loc[:depth]))
                text += f"[{stood[part] if stood else part}]"
            elif part != "[key]":
                text += f".{part}" if text else part
        return text


def _words(detail: ErrorDetails) -> str:
    loc = detail["loc"]
    kind = detail["type"]
    if kind == "extra_forbidden":
        form = _FORMS.get(tuple("*" if isinstance(part, int) else part for part in loc[:-1]))
        return f"unknown word{hint(str(loc[-1]), form.model_fields if form else {})}"
    if loc[-1] == "shift_days" and kind in {"too_short", "too_long", "list_type"}:
        return "must be [from, to], two whole numbers of days"
    ours = {
        "missing": "missing",
        "literal_error": "this version reads format 1" if loc[-1] == "format" else "must be true",
        "too_short": "must not be empty",
    }
    if kind in KINDS:
        return f"must be {KINDS[kind]}"
    return ours.get(kind, detail["msg"])


def _at(document: Mapping[str, Any], path: Sequence[str]) -> list[Any]:
    found: Any = document
    for part in path:
        found = found.get(part) if isinstance(found, dict) else None
    return found if isinstance(found, list) else []


def _from_the_back(loc: Loc) -> tuple[str, int, int]:
    numbers = [part for part in loc if isinstance(part, int)]
    return (str(loc[0]), numbers[0] if numbers else -1, len(loc))
