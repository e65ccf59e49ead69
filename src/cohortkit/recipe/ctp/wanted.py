"""What a replacement of a DicomAnonymizer script wants of its element, in the house's actions.

A condition is asked when a series is exported, and no rule can wait for that: of two cases the one
that lets less through holds. A case in which CTP would hold the object back becomes a refusal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from cohortkit.recipe.ctp.calls import BLOCKS, Call, NotUnderstood, Part
from cohortkit.recipe.ctp.conditions import THIS, Clauses, condition
from cohortkit.recipe.model import Action


class Verdict(StrEnum):
    """What became of a statement of a script."""

    TAKEN = "taken over"
    STRICTER = "stricter"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One case of a replacement.

    Attributes:
        action: None where no action of the house is meant: nothing of the value may pass.
        text: the constant of SET.
        verdict: for the table, with ``words``.
        always: CTP puts the element there where it is missing.
    """

    action: Action | None
    verdict: Verdict = Verdict.TAKEN
    words: str = ""
    text: str = ""
    always: bool = False


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a replacement comes to.

    Attributes:
        wanted: what happens to the element.
        refusals: conditions, each of which holds the whole object back.
    """

    wanted: Wanted
    refusals: tuple[Clauses, ...] = ()


_STRICTNESS = (
    None,
    Action.REMOVE,
    Action.EMPTY,
    Action.SET,
    Action.UID,
    Action.SHIFT,
    Action.KEEP,
)
HELD_BACK = "the object is refused"
_HIDDEN = Wanted(
    None, Verdict.STRICTER, "a keyed pseudonym where the profile has one, else nothing of it"
)
_DERIVED = Wanted(
    None, Verdict.STRICTER, "part of another value, or made from this one: nothing of it stays"
)
_MOVED = Wanted(
    Action.SHIFT,
    Verdict.STRICTER,
    "moved by the patient's secret number of days, not by one that is written down",
)
_SIMPLE = {
    "keep": Wanted(Action.KEEP),
    "process": Wanted(Action.KEEP),
    "empty": Wanted(Action.EMPTY),
    "blank": Wanted(Action.EMPTY, Verdict.STRICTER, "emptied: no blanks stand in"),
    "require": Wanted(
        Action.KEEP, Verdict.STRICTER, "where it is there; nothing is put there from elsewhere"
    ),
    "hashuid": Wanted(Action.UID),
    "incrementdate": _MOVED,
    "hashdate": _MOVED,
    **dict.fromkeys(("hash", "hashname", "hashptid", "integer", "lookup"), _HIDDEN),
    "encrypt": Wanted(None, Verdict.STRICTER, "nothing that can be decrypted leaves"),
    "call": Wanted(None, Verdict.REFUSED, "a plug-in of CTP; nothing of the value stays"),
}
"""Functions that mean the same whatever their arguments; all others make a value of values."""


def meaning(parts: Sequence[Part], parameters: Mapping[str, str], this: str = "") -> Meaning:
    """What is wanted of the element.

    Args:
        parts: of its replacement.
        parameters: of the script.
        this: its keyword; empty where it has none.

    Raises:
        NotUnderstood: a condition that is none, a parameter that nobody gave.
        UnknownName: a condition about an element that there is not.
    """
    said = [part for part in parts if isinstance(part, Call) or part.strip()]
    if said and isinstance(said[0], Call) and said[0].name == "always":
        inner = meaning(parts[parts.index(said[0]) + 1 :], parameters, this)
        return Meaning(replace(inner.wanted, always=True), inner.refusals)
    if not said:
        return Meaning(Wanted(Action.EMPTY))
    calls = [part for part in said if isinstance(part, Call)]
    if any(call.name == "remove" for call in calls):
        return Meaning(Wanted(Action.REMOVE))
    if not calls:
        return Meaning(_constant("".join(map(str, parts))))
    if len(said) > 1:
        return _mixed(parts, parameters, this)
    return _one(calls[0], parameters, this)


def _mixed(parts: Sequence[Part], parameters: Mapping[str, str], this: str) -> Meaning:
    """Text and parameters together are a constant; with anything else it is made of a value."""
    texts: list[str | None] = []
    refusals: list[Clauses] = []
    for part in parts:
        one = meaning((part,), parameters, this)
        refusals += one.refusals
        constant = one.wanted.action is Action.SET
        texts.append(part if isinstance(part, str) else one.wanted.text if constant else None)
    if None not in texts:
        return Meaning(_constant("".join(filter(None, texts))), tuple(refusals))
    return Meaning(_DERIVED, tuple(refusals))


def _constant(text: str) -> Wanted:
    return Wanted(Action.SET if text.strip() else Action.EMPTY, text=text.strip())


def _one(call: Call, parameters: Mapping[str, str], this: str) -> Meaning:
    if call.name in BLOCKS:
        return _cases(call, parameters, this) if call.name != "append" else Meaning(_DERIVED)
    if call.name in ("quarantine", "skip"):
        return Meaning(Wanted(None, words=HELD_BACK), ((),))
    if call.name == "param":
        return Meaning(_constant(_parameter(call, parameters)))
    if call.name == "hashuid" and call.args[1:] != ("this",):
        return Meaning(Wanted(Action.UID, Verdict.STRICTER, "from this UID, not another's"))
    return Meaning(_SIMPLE.get(call.name, _DERIVED))


def _parameter(call: Call, parameters: Mapping[str, str]) -> str:
    name = (call.args or ("",))[0].lstrip("@$")
    if name not in parameters:
        raise NotUnderstood(f"no <p> is called {name[:40]!r}")
    return parameters[name]


def _cases(call: Call, parameters: Mapping[str, str], this: str) -> Meaning:
    cases = [meaning(block, parameters, this) for block in call.blocks]
    refusals: list[Clauses] = []
    if call.name == "if":
        asked = condition(call.args, parameters, this)
        for case, clauses in zip(cases, asked, strict=True):
            refusals += [(*clauses, *other) for other in case.refusals]
    else:
        refusals = [other for case in cases for other in case.refusals]
    staying = [case.wanted for case in cases if () not in case.refusals]
    if _is_blank(call) and len(staying) == len(cases):
        return Meaning(_also_blank(staying[1]), tuple(refusals))
    if not staying:
        return Meaning(Wanted(None, words=HELD_BACK), tuple(refusals))
    strictest = min(staying, key=lambda one: _STRICTNESS.index(one.action))
    if len({one.action for one in staying}) == 1 and strictest.action is not Action.SET:
        return Meaning(strictest, tuple(refusals))
    where = "at every depth" if call.name == "select" else "whatever the condition says"
    words = f"{strictest.action or 'nothing of it stays'}, {where}"
    return Meaning(
        Wanted(strictest.action, Verdict.STRICTER, words, strictest.text), tuple(refusals)
    )


def _is_blank(call: Call) -> bool:
    """Whether it asks if the element itself is blank, a case in which there is nothing to hide."""
    return call.name == "if" and call.args[1:2] == ("isblank",) and call.args[0] in THIS


def _also_blank(wanted: Wanted) -> Wanted:
    words = "; ".join(filter(None, (wanted.words, "also where it is blank")))
    verdict = Verdict.STRICTER if wanted.verdict is Verdict.TAKEN else wanted.verdict
    return replace(wanted, verdict=verdict, words=words)
