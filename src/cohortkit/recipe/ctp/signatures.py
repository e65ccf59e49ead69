"""The boolean language of CTP's filters and signatures as criteria.

``+`` is or, ``*`` is and, ``!`` is not, ``true.`` and ``false.`` are constants, and a term is
``identifier.method("text")``. What no criterion can ask may be true or false: whoever uses the
criteria gets the ones that are met wherever the expression may be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cohortkit.recipe.ctp import names
from cohortkit.recipe.ctp.calls import NotUnderstood
from cohortkit.recipe.ctp.conditions import (
    METHODS,
    NEVER,
    Clauses,
    both,
    compared,
    either,
    negated,
)
from cohortkit.recipe.hints import hint

_TOKEN = re.compile(
    r"""(?P<blank>\s+|//[^\n]*)|(?P<sign>[()+*!])|(?P<constant>(?:true|false)\.)
    |(?P<name>(?:[A-Za-z]\w*|\[[0-9A-Fa-f]{4},\s*[0-9A-Fa-f]{4}\])
       (?:::(?:[A-Za-z]\w*|\[[0-9A-Fa-f]{4},\s*[0-9A-Fa-f]{4}\]))*)
    \.(?P<method>\w+)\s*\(\s*"(?P<text>(?:[^"\\]|\\.)*)"\s*\)""",
    re.VERBOSE,
)
_NUMERIC = frozenset({"isLessThan", "isGreaterThan", "isBefore", "isAfter"})
_DEEPEST = 64
_OVERLAYS = re.compile(r"\[(?:60|50)[0-9A-Fa-f]{2},")


@dataclass(frozen=True, slots=True)
class Asked:
    """What an expression asks.

    Attributes:
        maybe: met wherever the expression is true, or may be.
        not_maybe: met wherever it is false, or may be.
        unasked: terms that no criterion can ask.
        overlays: every one of these is about a curve or an overlay, which go whole.
    """

    maybe: Clauses
    not_maybe: Clauses
    unasked: tuple[str, ...] = ()
    overlays: bool = False


Node = tuple[Clauses, Clauses]
"""Where it may be true, where it may be false."""


@dataclass(slots=True)
class _Reader:
    """The tokens, and how far they are read."""

    tokens: Sequence[re.Match[str]]
    at: int = 0
    depth: int = 0
    unasked: list[str] = field(default_factory=list)

    def sign(self) -> str:
        return (self.tokens[self.at]["sign"] or "") if self.at < len(self.tokens) else ""

    def either(self) -> Node:
        found = self.both()
        while self.sign() == "+":
            self.at += 1
            other = self.both()
            found = either(found[0], other[0]), both(found[1], other[1])
        return found

    def both(self) -> Node:
        found = self.factor()
        while self.sign() == "*":
            self.at += 1
            other = self.factor()
            found = both(found[0], other[0]), either(found[1], other[1])
        return found

    def factor(self) -> Node:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise NotUnderstood("brackets in brackets, too deep")
        found = self.inner()
        self.depth -= 1
        return found

    def inner(self) -> Node:
        if self.at >= len(self.tokens):
            raise NotUnderstood("it ends where a term is expected")
        token = self.tokens[self.at]
        self.at += 1
        if token["sign"] == "!":
            true, false = self.factor()
            return false, true
        if token["sign"] == "(":
            found = self.either()
            if self.sign() != ")":
                raise NotUnderstood("a bracket is not closed")
            self.at += 1
            return found
        if token["sign"]:
            raise NotUnderstood(f"{token['sign']!r} where a term is expected")
        if token["constant"]:
            return ((), NEVER) if token["constant"] == "true." else (NEVER, ())
        return self.term(token)

    def term(self, token: re.Match[str]) -> Node:
        name, method, text = token["name"], token["method"], _plain(token["text"])
        known = (*METHODS, *_NUMERIC)
        if method not in known:
            raise NotUnderstood(f"unknown method {method[:40]!r}{hint(method, known)}")
        if "::" in name or method in _NUMERIC or _OVERLAYS.match(name):
            self.unasked.append(token[0])
            return (), ()
        clauses = compared(names.keyword(name), method, text)
        return clauses, negated(clauses)


def read(text: str) -> Asked:
    """What an expression asks.

    Raises:
        NotUnderstood: it is none.
        names.UnknownName: it asks for an element that there is not.
    """
    reader = _Reader(list(_tokens(text)))
    true, false = reader.either()
    if reader.at < len(reader.tokens):
        raise NotUnderstood(f"{reader.tokens[reader.at][0][:40]!r} where it should end")
    unasked = tuple(dict.fromkeys(reader.unasked))
    overlays = bool(unasked) and all(_OVERLAYS.match(one) for one in unasked)
    return Asked(true, false, unasked, overlays)


def _tokens(text: str) -> Iterator[re.Match[str]]:
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise NotUnderstood(f"not understood from {text[at : at + 40].strip()!r}")
        at = token.end()
        if token["blank"] is None:
            yield token


def _plain(text: str) -> str:
    """Text between quotes; a backslash is there for a quote only, and stays before all else."""
    return text.replace('\\"', '"')
