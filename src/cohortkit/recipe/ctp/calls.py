"""The language of replacements in a DicomAnonymizer script: text with calls of @functions.

``@if`` has two blocks in braces behind it, ``@select`` too, ``@append`` one; what stands in a block
is the same language again. A backslash takes the meaning from the character behind it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cohortkit.recipe.hints import hint

BLOCKS = {"if": 2, "select": 2, "append": 1}
FUNCTIONS = frozenset(
    "always append blank call contents date dateinterval decrypt empty encrypt hash hashdate "  # noqa: SIM905 - words read best as words
    "hashname hashptid hashuid if incrementdate initials integer keep lookup lowercase modifydate "
    "param pathelement process quarantine remove require round select skip time truncate uppercase "
    "value".split()
)
_NAME = re.compile(r"@([A-Za-z]+)\s*\(")
_DEEPEST = 8
_LONGEST = 4096


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    Attributes:
        args: as written, without blanks and quotes around them.
        blocks: what it does in each case.
    """

    name: str
    args: tuple[str, ...] = ()
    blocks: tuple[tuple[Part, ...], ...] = ()


Part = str | Call


class NotUnderstood(ValueError):  # noqa: N818 - told as a fault
    """No replacement; says why."""


def parse(text: str) -> tuple[Part, ...]:
    """The parts of a replacement: text as it stands, and calls.

    Raises:
        NotUnderstood: an unknown function, a bracket that is not closed.
    """
    if len(text) > _LONGEST:
        raise NotUnderstood(f"longer than {_LONGEST} characters")
    return _parts(text, 0)


def _parts(text: str, depth: int) -> tuple[Part, ...]:
    if depth > _DEEPEST:
        raise NotUnderstood("blocks in blocks, too deep")
    found: list[Part] = []
    plain: list[str] = []
    at = 0
    while at < len(text):
        if text[at] == "\\":
            plain.append(text[at + 1 : at + 2])
            at += 2
        elif text[at] == "@":
            if plain:
                found.append("".join(plain))
            plain = []
            call, at = _call(text, at, depth)
            found.append(call)
        else:
            plain.append(text[at])
            at += 1
    if plain:
        found.append("".join(plain))
    return tuple(found)


def _call(text: str, at: int, depth: int) -> tuple[Call, int]:
    match = _NAME.match(text, at)
    if match is None:
        raise NotUnderstood(f"{text[at : at + 20]!r} is no call of a function")
    name = match[1]
    if name not in FUNCTIONS:
        raise NotUnderstood(f"unknown function @{name}{hint(name, FUNCTIONS)}")
    end = _closed(text, match.end(), "(", ")")
    args = _args(text[match.end() : end - 1])
    blocks = []
    for _ in range(BLOCKS.get(name, 0)):
        opened = re.compile(r"\s*\{").match(text, end)
        if opened is None:
            break
        after = _closed(text, opened.end(), "{", "}")
        blocks.append(_parts(text[opened.end() : after - 1].strip(), depth + 1))
        end = after
    if name in BLOCKS and not blocks:
        raise NotUnderstood(f"@{name} has no block in braces behind it")
    blocks += [()] * (BLOCKS.get(name, 0) - len(blocks))  # no block does nothing: an empty value
    return Call(name, args, tuple(blocks)), end


def _closed(text: str, at: int, opening: str, closing: str) -> int:
    """Behind the bracket that closes the one before ``at``; brackets in quotes do not count."""
    depth, quoted = 1, False
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 1
        elif char == '"':
            quoted = not quoted
        elif not quoted and char == opening:
            depth += 1
        elif not quoted and char == closing:
            depth -= 1
            if not depth:
                return at + 1
        at += 1
    raise NotUnderstood(f"a {opening!r} is not closed")


def _args(text: str) -> tuple[str, ...]:
    """Split at commas that stand in no quotes and no brackets, for a tag may hold one."""
    found, part, depth, quoted = [], "", 0, False
    for char in text:
        if char == '"':
            quoted = not quoted
        elif not quoted:
            depth += (char in "([") - (char in ")]")
        if char == "," and not quoted and not depth:
            found.append(part)
            part = ""
        else:
            part += char
    found.append(part)
    plain = tuple(one.strip() for one in found)
    return () if plain == ("",) else tuple(_unquoted(one) for one in plain)


def _unquoted(text: str) -> str:
    two = 2
    return text[1:-1] if len(text) >= two and text[0] == text[-1] == '"' else text
