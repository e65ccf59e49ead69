"""What passes although no table lists it: by rule, and nothing else.

Numbers and valid code strings stay, sequences are recursed into, unregistered UIDs are remapped.
Dates, times, ages, names and addresses go. Text and bytes stay only if they are on the technical
allow-list (``data/technical.csv``), where each has its reason. Text that goes leaves an empty
value or a dummy where an object is not valid without (``data/required.csv``).
"""

from __future__ import annotations

from typing import Final

from cohortkit.recipe import profile
from cohortkit.recipe import vr as vrs
from cohortkit.recipe.model import Action, Decision, Unlisted
from cohortkit.recipe.vr import Holds

_UNKNOWN: Final = Decision(Action.REMOVE, "not in the dictionary (PS3.6)")
_ODD_VR: Final = Decision(Action.REMOVE, "the file gives it another VR than the dictionary")
_WORDS: Final = {
    Holds.NUMBER: (Action.KEEP, "outside the table: numbers stay"),
    Holds.CODE: (Action.KEEP, "outside the table: valid code strings stay"),
    Holds.SEQUENCE: (Action.KEEP, "outside the table: a sequence; each attribute inside is judged"),
    Holds.UID: (Action.UID, "outside the table: a UID that PS3.6 does not register is replaced"),
    Holds.TEXT: (Action.REMOVE, "outside the table: text that is on no allow-list goes"),
    Holds.BULK: (Action.REMOVE, "outside the table: bytes that are on no allow-list go"),
    Holds.PERSONAL: (Action.REMOVE, "outside the table: {} goes whatever it holds"),
}

_CREATOR: Final = "PrivateCreator"
"""Names of private creators point at a block: whole, or not at all."""
_LEAVING: Final = {1: Action.DUMMY, 2: Action.EMPTY}
_TRACES: Final = {
    Action.DUMMY: "objects need a value there, so a dummy stands in",
    Action.EMPTY: "objects need it there, so it stays empty",
}


def decide(tag: int, vr: str, text: Unlisted = Unlisted.BY_RULE) -> Decision:
    """What happens to a standard attribute that the profile's table does not list.

    The VR of the file and that of the dictionary must agree, or the attribute goes.

    Args:
        tag: of the attribute.
        vr: as the file has it.
        text: what becomes of text that would go. Cleaned, it goes where that leaves nothing; kept,
            it stays as it is, but for what identifies directly.
    """
    known = vrs.of_tag(tag)
    if not known:
        return _UNKNOWN
    if not vrs.agree(vr, known) and not vrs.kinds(vr) <= vrs.kinds(known):
        return _ODD_VR
    reason = profile.technical().get(vrs.keyword_of(tag))
    if reason is not None:
        return Decision(Action.KEEP, f"outside the table, on the technical list: {reason}")
    return _texted(tag, vr, known, text)


def _texted(tag: int, vr: str, known: str, text: Unlisted) -> Decision:
    """What its kind says; text as the recipe says."""
    decision = of_kind(vr, known)
    action = _LEAVING.get(profile.required().get(vrs.keyword_of(tag), 0))
    if decision.action is Action.REMOVE and action is not None:
        decision = Decision(action, f"{decision.why}; {_TRACES[action]}")
    exact = vrs.keyword_of(tag).endswith(_CREATOR)
    if exact or vrs.kinds(vr) | vrs.kinds(known) != {Holds.TEXT}:
        return decision
    if text is Unlisted.CLEAN:
        return Decision(Action.CLEAN, "outside the table: text is cleaned", otherwise=decision)
    if text is Unlisted.KEEP and tag not in profile.direct_identifiers():
        return Decision(Action.KEEP, "outside the table: the recipe keeps text as it is")
    return decision


def of_kind(vr: str, known: str) -> Decision:
    """What happens to a VR outside the table and the allow-list: the strictest that it may be."""
    kinds = vrs.kinds(vr) | vrs.kinds(known)
    strictest = max(kinds, key=list(_WORDS).index)
    action, words = _WORDS[strictest]
    return Decision(action, words.format(known), valid_only=vr in vrs.CHECKED)
