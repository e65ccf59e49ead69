"""What happens to an attribute under a recipe: pure, and the same for equal questions.

A rule of the recipe goes before the profile's table, the table before the rules for what no
table lists. Whatever is not understood goes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from cohortkit.recipe import profile, unlisted
from cohortkit.recipe import vr as vrs
from cohortkit.recipe.deid.decide import BIRTH, OBJECT_UIDS, Lines, Said, names_private
from cohortkit.recipe.deid.lines import Source
from cohortkit.recipe.model import (
    Action,
    Attribute,
    Basis,
    Decision,
    EveryVR,
    Matching,
    Option,
    PrivateElement,
    Recipe,
    Rule,
    SafeList,
    Temporal,
    Unlisted,
)

_NEVER_KEPT_BY_EXPANDER: Final = frozenset({0x00880200, 0x00282000})
"""IconImageSequence and ICCProfile: pictures and names of devices in bytes."""
TEXT_VALUE: Final = 0x0040A160
"""TextValue, the text of a content item; the profile's table does not list it."""
_CLEAN_TREES: Final = frozenset({Option.CLEAN_STRUCTURED_CONTENT, Option.CLEAN_GRAPHICS})
"""Options whose C is of sequences, in which each attribute is judged by itself."""
_CLEAN_TEXTS: Final = frozenset({Option.CLEAN_STRUCTURED_CONTENT, Option.CLEAN_DESCRIPTORS})
_NEVER_EMPTY: Final = frozenset({"ReferencedStudySequence"})
"""X/Z, of type 3 wherever an object is made, and with one item or more (PS3.3 C.7.2.1)."""
_LETTERS: Final = {"X": Action.REMOVE, "Z": Action.EMPTY, "D": Action.DUMMY, "U": Action.UID}
_REVEALING: Final = frozenset({Action.KEEP, Action.SHIFT, Action.CAP_AGE, Action.UID, Action.CLEAN})
_HIDING: Final = frozenset({Action.REMOVE, Action.EMPTY, Action.DUMMY})
_FIRST_OBJECT_GROUP: Final = 0x0008
_NO_PRIVATE_GROUPS: Final = frozenset({0x0001, 0x0003, 0x0005, 0x0007, 0xFFFF})
_CREATORS: Final = range(0x0010, 0x0100)
_FIRST_PRIVATE: Final = 0x1000

_GROUP_LENGTH = Decision(Action.REMOVE, "a group length, which no longer holds")
_NOT_OF_AN_OBJECT = Decision(Action.REMOVE, "file meta, command or directory; rebuilt if needed")
_CURVE = Decision(Action.REMOVE, "a curve (50xx); the whole group goes", listed=True)
_OVERLAY = Decision(Action.REMOVE, "an overlay (60xx); the whole group goes", listed=True)
_CREATOR = Decision(
    Action.REMOVE, "a private creator; stays only with an element of its block", listed=True
)
_NO_CREATOR = Decision(Action.REMOVE, "a private element without a creator", listed=True)
_PRIVATE = Decision(Action.REMOVE, "a private element", listed=True)
_ANEW = Decision(Action.REMOVE, "written anew: it says how the released object is made")
_ORIGINALS = Decision(Action.REMOVE, "holds or seals what was taken away; no recipe keeps it")
FIXED: Final = {
    0x00080005: _ANEW,  # SpecificCharacterSet
    0x00120062: _ANEW,  # PatientIdentityRemoved
    0x00120063: _ANEW,  # DeidentificationMethod
    0x00120064: _ANEW,  # DeidentificationMethodCodeSequence
    0x00280303: _ANEW,  # LongitudinalTemporalInformationModified
    0x04000500: _ORIGINALS,  # EncryptedAttributesSequence
    0x04000520: _ORIGINALS,  # EncryptedContent
    0x04000550: _ORIGINALS,  # ModifiedAttributesSequence
    0x04000561: _ORIGINALS,  # OriginalAttributesSequence
    0x4FFE0001: _ORIGINALS,  # MACParametersSequence
    0xFFFAFFFA: _ORIGINALS,  # DigitalSignaturesSequence
}
"""Attributes of which no recipe decides."""
_WHOLE_GROUPS: Final = {0x50: _CURVE, 0x60: _OVERLAY}


class Policy:
    """A recipe, ready to decide.

    Ask once for each (tag, vr, creator) and remember the answer: it never changes.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self._attributes: dict[int, Rule] = {}
        self._private: dict[tuple[int, str, int], Rule] = {}
        self._patterns: list[tuple[Matching, Rule]] = []
        self._vrs: dict[str, Rule] = {}
        self.lines = Lines(recipe.script) if recipe.script.lines else None
        for rule in recipe.rules:
            match rule.target:
                case Attribute(tag=tag):
                    self._attributes[tag] = rule
                case PrivateElement(group=group, creator=creator, element=element):
                    self._private[group, creator, element] = rule
                case Matching() as pattern:
                    self._patterns.append((pattern, rule))
                case EveryVR(vr=name):
                    self._vrs[name] = rule

    def decide(self, tag: int, vr: str, creator: str | None, within: str = "") -> Decision:
        """What happens to an attribute, at whatever depth.

        A private creator element (gggg,0010-00FF) is always REMOVE: whoever keeps an element of
        its block keeps its creator too.

        Args:
            tag: group and element as one number; for a private element with its block byte.
            vr: as the file (or the dictionary, for implicit VR) has it.
            creator: of a private element, trimmed; None where it has none.
            within: keywords of the sequences around it, joined by two underscores; only lines in
                deid's language ask.
        """
        structural = _structural(tag)
        if structural is not None:
            return structural
        said = self.lines.said(tag, vr, creator, within) if self.lines else None
        decision = None if said is None else self.by_line(said, tag, vr, creator)
        return self._without_lines(tag, vr, creator) if decision is None else decision

    def by_line(self, said: Said, tag: int, vr: str, creator: str | None) -> Decision | None:
        """What lines in deid's language make of an element; None where they must not decide."""
        private = bool(tag >> 16 & 1)
        if private and (tag & 0xFFFF < _FIRST_PRIVATE or not creator):
            return None
        known = "" if private else vrs.of_tag(tag)
        why, listed = str(said.line), private or tag in profile.table()
        action = said.action
        if action is Action.KEEP:
            if not self._may_keep(said, tag, vr, known):
                return None
            kept = self._guarded(action, vr, known)
            return Decision(kept, why, listed=listed, from_rule=said.line.exact)
        if action is Action.MOVE and (tag in BIRTH or vr not in vrs.DATED):
            return None
        if tag in OBJECT_UIDS and action in (Action.REMOVE, Action.EMPTY):
            why, action = f"{why} (but without one it is no object: a new UID)", Action.UID
        otherwise = None
        if said.asked:
            other = said.otherwise
            found = None if other is None else self.by_line(other, tag, vr, creator)
            otherwise = found or self._without_lines(tag, vr, creator)
        given = said.line.given if said.asked or action in (Action.SET, Action.MOVE) else None
        if action is Action.SET and given is not None and given.source is Source.FUNCTION:
            otherwise = self._without_lines(tag, vr, creator)
        return Decision(
            action, why, listed=listed, from_rule=True, given=given, otherwise=otherwise
        )

    def _may_keep(self, said: Said, tag: int, vr: str, known: str) -> bool:
        """Whether a KEEP line is believed: an expander must be sure of what it finds."""
        if tag in BIRTH:
            return False
        if tag >> 16 & 1:
            return names_private(said.line)
        if said.line.exact:
            return True
        return bool(known) and vrs.agree(vr, known) and tag not in _NEVER_KEPT_BY_EXPANDER

    def _without_lines(self, tag: int, vr: str, creator: str | None) -> Decision:
        if (tag >> 16) % 2:
            return self._private_element(tag, vr, creator)
        row = profile.table().get(tag)
        known = row.vr if row is not None and row.vr else vrs.of_tag(tag)
        rule = self._rule(tag, vr, known)
        if rule is None:
            return self._without_rules(tag, vr, row)
        decision = self._by_rule(rule, vr, known, listed=row is not None)
        if decision.action is not Action.CLEAN:
            return decision
        left = self._without_rules(tag, vr, row)
        left = left.otherwise or left
        hides = left.action not in _REVEALING
        return replace(decision, otherwise=left if hides else None)

    def _without_rules(self, tag: int, vr: str, row: profile.Row | None) -> Decision:
        if row is not None:
            return self._listed(row, vr)
        if tag == TEXT_VALUE and Option.CLEAN_STRUCTURED_CONTENT in self.recipe.options:
            decision = unlisted.decide(tag, vr, Unlisted.CLEAN)
            return replace(decision, why=f"{Option.CLEAN_STRUCTURED_CONTENT}: C")
        return unlisted.decide(tag, vr, self.recipe.unlisted)

    def _rule(self, tag: int, vr: str, known: str) -> Rule | None:
        exact = self._attributes.get(tag)
        if exact is not None:
            return exact
        keyword = vrs.keyword_of(tag)
        for pattern, rule in self._patterns:
            if keyword and pattern.fits(keyword):
                return rule
        for name in (vr, known):
            general = self._vrs.get(name)
            # What reveals must be sure of its VR: a name written as LO is still a name.
            if general and (vr == known or general.action not in _REVEALING):
                return general
        return None

    def _by_rule(self, rule: Rule, vr: str, known: str, *, listed: bool) -> Decision:
        why = f"rule {rule.target}" + (f": {rule.reason}" if rule.reason else "")
        action = self._guarded(rule.action, vr, known)
        if action is not rule.action:
            why = f"{why} ({_guard_words(action, rule.action)})"
        return Decision(action, why, listed=listed, from_rule=True)

    def _guarded(self, action: Action, vr: str, known: str) -> Action:
        """What a rule may do to a value of this VR: never give a shift away, nor a true old age."""
        if action is Action.KEEP and "AS" in (vr, known):
            return Action.CAP_AGE
        if self.recipe.basis is Basis.SAFE_HARBOR and action in (Action.KEEP, Action.SHIFT):
            # the file's word: what it calls a date is one, also in a private element
            if vrs.TEMPORAL & {vr, known}:
                return Action.REMOVE
            if "UI" in (vr, known):
                return Action.UID if vr == "UI" else Action.REMOVE
        shifting = self.recipe.temporal is Temporal.MODIFIED and vrs.DATED & {vr, known}
        if action is Action.KEEP and shifting:
            action = Action.SHIFT
        if action is Action.SHIFT and vr not in vrs.TEMPORAL:
            return Action.REMOVE
        unseen = action is Action.KEEP and known == "SQ" and vr != "SQ"
        if unseen or (action is Action.CLEAN and vr not in vrs.FREE_TEXT):
            return Action.REMOVE
        return action

    def _listed(self, row: profile.Row, vr: str) -> Decision:
        options = self.recipe.options
        clean, keep = sorted(row.clean & options), sorted(row.keep & options)
        temporal = vr in vrs.TEMPORAL and (not row.vr or row.vr in vrs.TEMPORAL)
        if Option.RETAIN_MODIFIED_DATES in clean and temporal:
            return Decision(Action.SHIFT, f"{Option.RETAIN_MODIFIED_DATES}: C", listed=True)
        if Option.CLEAN_DESCRIPTORS in clean:  # C goes before K
            return _cleaned(row, vr)
        if clean and vr == row.vr == "SQ" and not _CLEAN_TREES.isdisjoint(clean):
            return Decision(Action.KEEP, f"{clean[0]}: C, item by item", listed=True)
        if clean:
            why = f"{clean[0]}: C, but without clean-descriptors; basic profile: {row.basic}"
        elif keep and vr != "UN" and (not row.vr or vrs.agree(vr, row.vr)):
            return _kept(vr, f"{keep[0]}: K")
        elif keep:
            why = f"{keep[0]}: K, but the file gives it another VR; basic profile: {row.basic}"
        else:
            why = f"basic profile: {row.basic}"
        return Decision(_basic(row), why, listed=True)

    def _private_element(self, tag: int, vr: str, creator: str | None) -> Decision:
        group, element = tag >> 16, tag & 0xFFFF
        if group in _NO_PRIVATE_GROUPS or not creator or element < _FIRST_PRIVATE:
            return _CREATOR if element in _CREATORS else _NO_CREATOR
        key = (group, creator, element & 0xFF)
        rule = self._private.get(key)
        if rule is not None:
            return self._by_rule(rule, vr, "", listed=True)
        safe = safe_private(self.recipe).get(key)
        if safe is None:
            return _PRIVATE
        if not _safe_vr(vr, safe.vr):
            why = f"{Option.RETAIN_SAFE_PRIVATE}: K, but the file gives it another VR"
            return Decision(Action.REMOVE, why, listed=True)
        where = "Table E.3.10-1" if key in profile.safe_private() else "the list of numbers"
        return _kept(vr, f"{Option.RETAIN_SAFE_PRIVATE}: K, {where}")


def _structural(tag: int) -> Decision | None:
    """What goes because of where it stands, whatever it is."""
    group, element = tag >> 16, tag & 0xFFFF
    if element == 0:
        return _GROUP_LENGTH
    if tag in FIXED:
        return FIXED[tag]
    if group < _FIRST_OBJECT_GROUP and group % 2 == 0 and tag not in profile.table():
        return _NOT_OF_AN_OBJECT
    if group % 2 == 0 and group >> 8 in _WHOLE_GROUPS:
        return _WHOLE_GROUPS[group >> 8]
    return None


def in_place(decision: Decision, tag: int, place: str) -> Decision:
    """The same decision where it is known what the type of the attribute is.

    Where the profile has several codes for an attribute, its type says which: X for type 3, Z for
    type 2, D for type 1; of those that the profile has.

    Args:
        decision: of the attribute, wherever it stands.
        tag: of the attribute.
        place: the SOP class of the object at whose top it stands, or the keyword of the sequence
            around it; one that `profile.types` has.
    """
    row, needed = profile.table().get(tag), profile.types().get(place)
    if row is None or needed is None or decision.from_rule or "/" not in row.basic:
        return decision
    if decision.otherwise is not None:
        inner = in_place(decision.otherwise, tag, place)
        return replace(decision, otherwise=inner)
    if decision.action not in _HIDING or row.keyword in _NEVER_EMPTY:
        return decision
    kind = needed.get(row.keyword, None if place.isidentifier() else 3)
    if kind is None:
        return decision
    letters = row.basic.split("/")
    wanted = {1: "D", 2: "Z"}.get(kind, "X")
    letter = wanted if wanted in letters else letters[0 if wanted == "X" else -1]
    return replace(decision, action=_LETTERS[letter])


def _basic(row: profile.Row) -> Action:
    """The basic profile's action where no one knows the attribute's type in its IOD.

    Of X/Z, X/D … the last plain letter, which keeps any object valid; but where no object needs
    the attribute and none may have it empty, it goes.
    """
    if row.keyword in _NEVER_EMPTY:
        return Action.REMOVE
    if row.basic.endswith("U*"):
        return Action.KEEP  # references: recurse, and the UIDs inside get new ones
    letter = row.basic.rsplit("/", 1)[-1]
    if letter == "D" and row.vr == "UI":
        return Action.UID  # one constant dummy would make different things the same
    return _LETTERS[letter]


def _cleaned(row: profile.Row, vr: str) -> Decision:
    """C of the option clean-descriptors: text is cleaned, items are judged one by one.

    Bytes, and what the file gives another kind of VR, cannot be cleaned; there the profile holds.
    """
    said = f"{Option.CLEAN_DESCRIPTORS}: C"
    basic = Decision(_basic(row), f"basic profile: {row.basic}", listed=True)
    if vr == row.vr == "SQ":
        return Decision(Action.KEEP, said, listed=True)
    free = vr in vrs.FREE_TEXT and (not row.vr or row.vr in vrs.FREE_TEXT)
    if free or vr == row.vr == "CS":
        return Decision(Action.CLEAN, said, listed=True, otherwise=basic)
    why = f"{said}, but this cannot be cleaned; {basic.why}"
    return Decision(basic.action, why, listed=True)


def cleans(recipe: Recipe) -> bool:
    """Whether a recipe lets any text through that is cleaned."""
    return (
        not _CLEAN_TEXTS.isdisjoint(recipe.options)
        or recipe.unlisted is Unlisted.CLEAN
        or any(rule.action is Action.CLEAN for rule in recipe.rules)
    )


def safe_private(recipe: Recipe) -> Mapping[tuple[int, str, int], profile.SafePrivate]:
    """The private elements that the options of a recipe let stay."""
    if Option.RETAIN_SAFE_PRIVATE not in recipe.options:
        return {}
    if recipe.safe_private is SafeList.NUMBERS:
        return profile.listed_private()
    return profile.safe_private()


def keeps_private(recipe: Recipe) -> bool:
    """Whether any private element may stay."""
    return (
        Option.RETAIN_SAFE_PRIVATE in recipe.options
        or any(isinstance(rule.target, PrivateElement) for rule in recipe.rules)
        or any(names_private(line) for line in recipe.script.lines)
    )


def _kept(vr: str, why: str) -> Decision:
    if vr == "AS":
        return Decision(Action.CAP_AGE, f"{why}; 90 and over as 90", listed=True)
    return Decision(Action.KEEP, why, listed=True, valid_only=vr in vrs.CHECKED)


def _safe_vr(vr: str, safe: str) -> bool:
    if vr == "UN":  # bytes whose form cannot be checked here, unless any bytes are numbers
        return safe in {"FL", "FD", "SL", "SS", "UL", "US"}
    return vrs.agree(vr, safe)


def _guard_words(action: Action, asked: Action) -> str:
    if action is Action.CAP_AGE:
        return "90 and over as 90"
    if action is Action.SHIFT:
        return "shifted, as all dates of the recipe"
    return f"but it cannot {asked} a value that the file encodes so"
