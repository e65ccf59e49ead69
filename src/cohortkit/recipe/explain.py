"""What happens to each attribute under a recipe, and why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from typing import Final

import polars as pl

from cohortkit.dicom import keywords
from cohortkit.errors import UnknownKeyword
from cohortkit.recipe import plain, profile, targets
from cohortkit.recipe import vr as vrs
from cohortkit.recipe.deid import reach
from cohortkit.recipe.file import load_recipe
from cohortkit.recipe.model import Action, Attribute, PrivateElement, Recipe
from cohortkit.recipe.policy import Policy, safe_private

_WORDS = {
    Action.KEEP: "stays",
    Action.REMOVE: "is removed",
    Action.EMPTY: "is emptied",
    Action.DUMMY: "is replaced by a value that means nothing",
    Action.UID: "is replaced by a new UID, unless PS3.6 registers it",
    Action.SHIFT: "is moved by the patient's shift",
    Action.CAP_AGE: "stays, 90 and over as 90",
    Action.CLEAN: "stays as far as it names nobody",
    Action.SET: "holds a value that the recipe gives",
    Action.MOVE: "is moved by days that the recipe says",
}
_NAMED: Final = frozenset({"PatientID", "PatientName"})
_GROUPS: Final = frozenset({"50xx", "60xx"})
_REPEATED: Final = ("CurveData", "OverlayData", "OverlayComments")
_GROUP, _ELEMENT = r"(?P<group>[0-9a-f]{4})", r"(?P<element>[0-9a-f]{2})"
_CREATOR = r"\"?(?P<creator>[^\s\",()](?:[^\"]*[^\s\",()])?)\"?"
_PRIVATE: Final = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"\(?\s*{_GROUP}\s*,\s*{_CREATOR}\s*,\s*(?:xx)?{_ELEMENT}\s*\)?",
        rf"\(?\s*{_GROUP}\s*,\s*xx{_ELEMENT}\s*[,)]?\s*{_CREATOR}\s*\)?",
        rf"{_CREATOR}\s*\(?\s*{_GROUP}\s*,\s*xx{_ELEMENT}\s*\)?",
    )
)
"""A private element with its creator: as it is printed here, and as people write it."""
_INSIDE = "stays; each attribute inside is judged by itself"


@dataclass(frozen=True, slots=True)
class Explained:
    """One attribute.

    Attributes:
        attribute: keyword, or the tag where there is none, or a private element.
        tag: as ``(gggg,eeee)``; a private element with ``xx`` for its block byte.
        vr: the dictionary's; empty where it has none.
        listed: it is in the profile's table.
        from_rule: a rule of the recipe decided.
    """

    attribute: str
    tag: str
    vr: str
    action: Action
    why: str
    listed: bool
    from_rule: bool

    @property
    def words(self) -> str:
        """What happens, in plain words."""
        if self.action is Action.KEEP:
            return _INSIDE if self.vr == "SQ" else _WORDS[Action.KEEP]
        if self.attribute in _NAMED and self.action is not Action.SET:
            return "is replaced by the patient's pseudonym"
        return _WORDS[self.action]

    def __str__(self) -> str:
        known = self.attribute != self.tag
        name = " ".join(filter(None, (self.attribute, self.tag if known else "", self.vr)))
        private = self.tag[4:5] in "13579bdf"  # the last digit of an odd group
        newer = "" if known or private else "; newer than the data dictionary used here"
        return f"{name}: {self.words} ({self.why}{newer})"


@dataclass(frozen=True, slots=True, repr=False)
class Explanation:
    """A recipe explained: prints as text, shows itself as HTML, and is a table.

    Attributes:
        summary: plain words; empty where one attribute was asked for.
        rows: in tag order.
    """

    summary: str
    page: str
    rows: tuple[Explained, ...]

    def to_polars(self) -> pl.DataFrame:
        """A row an attribute: attribute, tag, vr, action, why, listed, from_rule."""
        columns = ("attribute", "tag", "vr", "action", "why", "listed", "from_rule")
        return pl.DataFrame(
            {name: [_cell(getattr(row, name)) for row in self.rows] for name in columns},
            schema_overrides=dict.fromkeys(columns[:5], pl.String),
        )

    def __str__(self) -> str:
        lines = "\n".join(str(row) for row in self.rows)
        return f"{self.summary}\n\n{lines}" if self.summary else lines

    def __repr__(self) -> str:
        return self.summary or str(self)

    def _repr_html_(self) -> str:
        head = "<tr><th>attribute</th><th>tag</th><th>VR</th><th>action</th><th>why</th></tr>"
        body = "".join(
            f"<tr><td>{escape(row.attribute)}</td><td>{escape(row.tag)}</td><td>{row.vr}</td>"
            f"<td>{row.action}</td><td>{escape(row.why)}</td></tr>"
            for row in self.rows
        )
        return f"{self.page}<table>{head}{body}</table>"


def explain(recipe: str | Recipe, keyword: str | None = None) -> Explanation:
    """What a recipe does: to one attribute, or in plain words and to each that it names.

    Without a keyword the rows are the profile's table, the technical list, what the recipe's rules
    name, and the safe private elements where they stay; everything else passes or goes by its VR,
    as the summary says.

    Args:
        recipe: a recipe, or the name or path of one.
        keyword: a DICOM keyword, or a tag as ``(gggg,eeee)`` or ``ggggeeee``, of an overlay or a
            curve with xx for which of them: ``(60xx,3000)``; a private element with its creator:
            ``(0019,"SIEMENS MR HEADER",0c)``, ``SIEMENS MR HEADER (0019,xx0c)``.

    Raises:
        RecipeError: the recipe has faults.
        UnknownKeyword: no attribute is called so; names its neighbours.
    """
    recipe = load_recipe(recipe)
    policy = Policy(recipe)
    if keyword is not None:
        private = _private_of(keyword)
        row = _private_row(policy, private) if private else _standard(policy, _tag(keyword))
        return Explanation("", "", (row,))
    tags = {
        *profile.table(),
        *(tag for name in _REPEATED if (tag := keywords.repeating_tag_of(name)) is not None),
        *(tag for name in profile.technical() if (tag := keywords.tag_of(name)) is not None),
        *(known.tag for rule in recipe.rules for known in targets.expand(rule.target)),
        *(known.tag for known, _, _ in reach.decided(recipe)),
    }
    rows = (*(_standard(policy, tag) for tag in sorted(tags)), *_private(policy))
    return Explanation(plain.text(recipe), plain.html(recipe), rows)


def treatment(recipe: Recipe, names: Iterable[str]) -> dict[str, str]:
    """What happens to each of these attributes, in plain words, by keyword."""
    policy = Policy(recipe)
    return {
        name: _standard(policy, tag).words
        for name in names
        if (tag := keywords.tag_of(name)) is not None
    }


def _private_of(written: str) -> PrivateElement | None:
    """The private element that is meant, by its creator; None where something else is."""
    for form in _PRIVATE:
        found = form.fullmatch(written.strip())
        if found is not None and int(found["group"], 16) % 2:
            return PrivateElement(
                int(found["group"], 16), found["creator"], int(found["element"], 16)
            )
    return None


def _tag(written: str) -> int:
    tag = keywords.tag_of(written) or keywords.repeating_tag_of(written)
    if tag is not None:
        return tag
    digits = written.strip("() ").replace(",", "")
    if digits[:4].lower() in _GROUPS:
        digits = digits[:2] + "00" + digits[4:]
    try:
        return _number(digits)
    except ValueError:
        where = "the data dictionary"
        if "," in written:
            where += '; a private element is asked for by its creator, (gggg,"CREATOR",ee)'
        raise UnknownKeyword(written, keywords.neighbours(written), where=where) from None


def _written(tag: int) -> str:
    """The tag as people write it, of curves and overlays with xx for which of them it is."""
    repeats = f"{tag >> 24:02x}xx" in _GROUPS and not tag >> 16 & 1
    return f"({tag >> 24:02x}xx,{tag & 0xFFFF:04x})" if repeats else str(Attribute(tag))


def _number(digits: str) -> int:
    if len(digits) != 8 or not digits.isascii() or not digits.isalnum():  # noqa: PLR2004 - a tag
        raise ValueError("no tag")
    return int(digits, 16)


def _standard(policy: Policy, tag: int) -> Explained:
    row = profile.table().get(tag)
    written = _written(tag)
    name = vrs.keyword_of(tag) or (row.keyword if row else "") or written
    vr = vrs.of_tag(tag) or keywords.vr_of(name) or ""
    decision = policy.decide(tag, vr or "UN", None)
    return Explained(
        name, written, vr, decision.action, decision.why, decision.listed, decision.from_rule
    )


def _private(policy: Policy) -> Iterator[Explained]:
    ruled = [r.target for r in policy.recipe.rules if isinstance(r.target, PrivateElement)]
    listed = [PrivateElement(*key) for key in safe_private(policy.recipe)]
    for target in sorted({*ruled, *listed}, key=lambda t: (t.group, t.creator, t.element)):
        yield _private_row(policy, target)


def _private_row(policy: Policy, target: PrivateElement) -> Explained:
    safe = profile.listed_private().get((target.group, target.creator, target.element))
    tag = (target.group << 16) | 0x1000 | target.element
    vr = safe.vr if safe else ""
    decision = policy.decide(tag, vr or "UN", target.creator)
    written = f"({target.group:04x},xx{target.element:02x})"
    return Explained(
        str(target),
        written,
        vr,
        decision.action,
        decision.why,
        decision.listed,
        decision.from_rule,
    )


def _cell(value: object) -> object:
    return value.value if isinstance(value, Action) else value
