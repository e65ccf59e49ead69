"""Conditions of CTP's two languages as criteria: of ``@if``, and of signatures and filters.

Criteria are clauses of alternatives, all of which must be met. A comparison that no criterion can
ask is never left out: it may be true, and it may be false.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Final

from cohortkit.recipe.ctp import names
from cohortkit.recipe.ctp.calls import NotUnderstood
from cohortkit.recipe.hints import hint
from cohortkit.recipe.model import Criterion, Match

Clauses = tuple[tuple[Criterion, ...], ...]
NEVER: Clauses = ((),)
"""A clause without an alternative is never met; no clause at all always is."""

_MOST = 512
THIS: Final = ("this", "")
"""How a condition calls the element that it stands at."""
EITHER: Final[tuple[Clauses, Clauses]] = ((), ())
"""Where a condition may be true and where it may be false, if nobody can ask: everywhere."""
_ASKED = ("contains", "equals", "exists", "greaterthan", "isblank", "matches")
_OTHER = {
    Match.IS: Match.IS_NOT,
    Match.MATCHES: Match.MATCHES_NOT,
    Match.PRESENT: Match.ABSENT,
}
_OTHER |= {other: match for match, other in _OTHER.items()}


def condition(
    args: Sequence[str], parameters: Mapping[str, str], this: str
) -> tuple[Clauses, Clauses]:
    """Where what ``@if`` asks may be true, and where it may be false.

    Case does not count, but for ``matches``.

    Args:
        args: of the call.
        parameters: of the script.
        this: keyword of the element that it stands at; empty where it has none.

    Raises:
        NotUnderstood: no condition.
        names.UnknownName: of an element that there is not.
    """
    if len(args) < 2 or args[1] not in _ASKED:  # noqa: PLR2004 - element and question
        word = args[1] if len(args) > 1 else ""
        raise NotUnderstood(f"unknown condition {word[:40]!r}{hint(word, _ASKED)}")
    keyword = this if args[0] in THIS else names.asked(args[0])
    if args[1] not in ("exists", "isblank") and len(args) < 3:  # noqa: PLR2004 - what with
        raise NotUnderstood(f"{args[1]} compares with something")
    if not keyword or args[1] == "greaterthan":
        return EITHER
    true = _true(keyword, args, parameters)
    return true, negated(true)


def _true(keyword: str, args: Sequence[str], parameters: Mapping[str, str]) -> Clauses:
    asked = args[1]
    if asked == "exists":
        return one(keyword, Match.PRESENT)
    if asked == "isblank":
        return blank(keyword)
    value = _given(args[2], parameters)
    return compared(keyword, asked if asked == "matches" else f"{asked}IgnoreCase", value)


def _given(arg: str, parameters: Mapping[str, str]) -> str:
    return parameters.get(arg[1:], arg) if arg.startswith("@") else arg


METHODS = (
    "contains",
    "containsIgnoreCase",
    "endsWith",
    "endsWithIgnoreCase",
    "equals",
    "equalsIgnoreCase",
    "matches",
    "startsWith",
    "startsWithIgnoreCase",
)


def compared(keyword: str, method: str, value: str) -> Clauses:
    """A comparison; an element that is not there has the empty value.

    Raises:
        NotUnderstood: a method that there is not, an expression that is none.
    """
    if method not in METHODS:
        raise NotUnderstood(f"unknown comparison {method[:40]!r}{hint(method, METHODS)}")
    folded = method.endswith("IgnoreCase")
    name = method.removesuffix("IgnoreCase")
    if name == "matches":
        expression = rf"\A(?:{_checked(value)})\Z"
    elif not value:
        return blank(keyword) if name == "equals" else ()
    else:
        before = r"\A" if name in ("equals", "startsWith") else ""
        after = r"\Z" if name in ("equals", "endsWith") else ""
        expression = f"{before}{re.escape(value.strip())}{after}"
    met = one(keyword, Match.MATCHES, expression if folded else f"(?-i:{expression})")
    empty = name == "matches" and re.fullmatch(value, "") is not None
    return either(met, blank(keyword)) if empty else met


def _checked(expression: str) -> str:
    try:
        re.compile(f"(?-i:{expression})")
    except (re.error, OverflowError, RecursionError) as error:
        raise NotUnderstood(f"{expression[:64]!r} is no regular expression here: {error}") from None
    return expression


def one(keyword: str, match: Match, value: str = "") -> Clauses:
    """One criterion."""
    return ((Criterion(keyword, match, value),),)


def blank(keyword: str) -> Clauses:
    """No value: the attribute is not there, or empty."""
    return one(keyword, Match.MATCHES_NOT, "(?s:.)")


def both(left: Clauses, right: Clauses) -> Clauses:
    """Both hold."""
    return _bounded(tuple(dict.fromkeys((*left, *right))))


def either(left: Clauses, right: Clauses) -> Clauses:
    """One of them holds."""
    return _bounded(tuple(dict.fromkeys((*a, *b) for a, b in product(left, right))))


def negated(clauses: Clauses) -> Clauses:
    """It does not hold.

    Raises:
        NotUnderstood: it asks too much for one.
    """
    found = NEVER
    for clause in clauses:
        found = either(found, tuple((_opposite(criterion),) for criterion in clause))
    return found


def _opposite(criterion: Criterion) -> Criterion:
    return Criterion(criterion.keyword, _OTHER[criterion.match], criterion.value)


def _bounded(clauses: Clauses) -> Clauses:
    if len(clauses) > _MOST or sum(map(len, clauses)) > _MOST * 16:
        raise NotUnderstood("it asks too much for one; make it two")
    return clauses
