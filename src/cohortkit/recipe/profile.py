"""PS3.15 Annex E as data: the table, the safe private elements, and our own short lists.

The files in ``data/`` ship with the package. The first three are built by
``scripts/build_profile.py``, ``types.csv`` and ``inside.csv`` by ``scripts/build_types.py``; the
others are our own.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType

from cohortkit.recipe.model import CODES, Option

BASIC_EDITION = "2026c"
"""Of the basic column. The options are of 2024e, and of 2025b for the attributes added since."""
OPTION_EDITIONS = ("2024e", "2025b")

_FILES = (
    "table.csv",
    "safe_private.csv",
    "more_private.csv",
    "technical.csv",
    "required.csv",
    "direct.csv",
    "types.csv",
    "inside.csv",
)
_BY_CODE = MappingProxyType({code: option for option, (code, _) in CODES.items()})


@dataclass(frozen=True, slots=True)
class Row:
    """One attribute of Table E.1-1.

    Attributes:
        keyword: empty where the dictionary does not know the tag yet.
        vr: as the dictionary has it; empty where it does not know the tag.
        basic: the code of the basic profile: X, Z, D, U and combined ones.
        keep: options under which the code is K.
        clean: options under which the code is C.
        edition: of the options; empty where none is known, so that none holds.
    """

    tag: int
    keyword: str
    vr: str
    basic: str
    keep: frozenset[Option]
    clean: frozenset[Option]
    edition: str


@dataclass(frozen=True, slots=True)
class SafePrivate:
    """One private element of Table E.3.10-1."""

    vr: str
    meaning: str


@cache
def table() -> Mapping[int, Row]:
    """Table E.1-1 by tag, but for its rows about whole groups (curves, overlays)."""
    rows = (
        Row(
            int(line["tag"], 16),
            line["keyword"],
            line["vr"],
            line["basic"],
            frozenset(_BY_CODE[code] for code in line["keep"].split()),
            frozenset(_BY_CODE[code] for code in line["clean"].split()),
            line["options_edition"],
        )
        for line in _lines("table.csv")
        if "X" not in line["tag"]
    )
    return MappingProxyType({row.tag: row for row in rows})


@cache
def safe_private() -> Mapping[tuple[int, str, int], SafePrivate]:
    """Table E.3.10-1 by (group, creator, last byte of the element)."""
    return MappingProxyType(
        {
            (int(line["group"], 16), line["creator"], int(line["element"], 16)): SafePrivate(
                line["vr"], line["meaning"]
            )
            for line in _lines("safe_private.csv")
        }
    )


@cache
def listed_private() -> Mapping[tuple[int, str, int], SafePrivate]:
    """The same, and the numbers of a list that another archive keeps (``more_private.csv``)."""
    more = {
        (int(line["group"], 16), line["creator"], int(line["element"], 16)): SafePrivate(
            line["vr"], ""
        )
        for line in _lines("more_private.csv")
    }
    return MappingProxyType(more | dict(safe_private()))


@cache
def technical() -> Mapping[str, str]:
    """Text and bulk attributes outside the table that stay: keyword → reason."""
    return MappingProxyType({line["keyword"]: line["reason"] for line in _lines("technical.csv")})


@cache
def required() -> Mapping[str, int]:
    """Text outside the table that goes, but not without a trace: keyword → 1 or 2, its type."""
    return MappingProxyType({line["keyword"]: int(line["type"]) for line in _lines("required.csv")})


@cache
def types() -> Mapping[str, Mapping[str, int]]:
    """What objects and items need: SOP class or keyword of a sequence → keyword → type 1, 2 or 3.

    Of attributes with several codes. At the top of an object, what is not named is of type 3 or
    unknown to its IOD; in an item of a sequence it is not known which type it has.
    """
    return MappingProxyType(
        {
            line[place]: MappingProxyType(
                {
                    word: kind
                    for kind, column in enumerate(("required", "empty", "optional"), 1)
                    for word in line.get(column, "").split()
                }
            )
            for name, place in (("types.csv", "sop_class"), ("inside.csv", "sequence"))
            for line in _lines(name)
        }
    )


@cache
def direct_identifiers() -> Mapping[int, str]:
    """Direct identifiers beside all of VR PN: tag → reason."""
    return MappingProxyType({int(line["tag"], 16): line["reason"] for line in _lines("direct.csv")})


@cache
def digest() -> str:
    """SHA-256 over the bytes of all profile data, so that a recipe's digest names its tables."""
    sha = hashlib.sha256()
    for name in _FILES:
        sha.update(_text(name).encode())
    return sha.hexdigest()


def _text(name: str) -> str:
    return resources.files(__package__).joinpath("data", name).read_text(encoding="utf-8")


def _lines(name: str) -> Iterator[dict[str, str]]:
    kept = (line for line in _text(name).splitlines() if not line.startswith("#"))
    yield from csv.DictReader(kept)
