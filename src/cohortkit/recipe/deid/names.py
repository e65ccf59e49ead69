"""Which attributes of the dictionary a field means, and fields that mean none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from pydicom import datadict

from cohortkit.dicom import keywords
from cohortkit.recipe import vr as vrs
from cohortkit.recipe.deid.fields import SEARCHING, By, Field, Finder, Names
from cohortkit.recipe.hints import hint
from cohortkit.recipe.targets import Known, everything

PRIVATE = re.compile(r'\(?([0-9a-f]{4}),"([^"]+)",([0-9a-f]{2})\)?')
_TAG = re.compile(r"\(?([0-9a-f]{4}),?([0-9a-f]{4})\)?")
_SHORTEST = 3


def names_of(tag: int, vr: str, creator: str | None, within: str = "") -> Names:
    """What an element is called.

    Args:
        tag: group and element.
        vr: its value representation.
        creator: of a private element.
        within: keywords of the sequences around it, joined by two underscores.
    """
    keyword = datadict.keyword_for_tag(tag)
    return Names(tag, vr, f"{within}__{keyword}" if within else keyword, keyword, creator)


@cache
def known_names() -> tuple[tuple[Known, Names], ...]:
    """Every attribute of the dictionary, with all that it is called."""
    return tuple((known, names_of(known.tag, known.vr, None)) for known in everything())


@cache
def meant(field: Field) -> tuple[Known, ...]:
    """The attributes of the dictionary that a field means; of a nested name, its last."""
    if field.by is By.NAME and "__" in field.word and (last := _last(field.word)):
        return (last,)
    if field.by is By.NAME:
        return _by_name().get(field.word, ())
    finder = Finder([field])
    return tuple(known for known, names in known_names() if finder.find(names))


@cache
def _by_name() -> dict[str, tuple[Known, ...]]:
    found: dict[str, tuple[Known, ...]] = {}
    for known, names in known_names():
        for word in set(names.exact()):
            found[word] = (*found.get(word, ()), known)
    return found


def within_of(field: Field) -> str:
    """The sequences around a nested name, as `names_of` takes them; empty for any other field."""
    if field.by is not By.NAME or "__" not in field.word:
        return ""
    around = field.word.split("__")[:-1]
    return "__".join(k.keyword for word in around if (k := _by_keyword().get(word)))


def _last(word: str) -> Known | None:
    return _by_keyword().get(word.rsplit("__", 1)[-1])


@cache
def _by_keyword() -> dict[str, Known]:
    return {known.keyword.lower(): known for known in everything() if known.keyword}


def unknown(field: Field, written: str) -> str:
    """Why a field means nothing that there is; empty where it means something."""
    if field.by is By.NAME:
        return _unknown_name(field.word, written)
    if field.by is By.SELECT_VR and field.word.upper() not in vrs.KNOWN:
        return f"unknown VR {field.word.upper()!r}{hint(field.word.upper(), vrs.KNOWN)}"
    if field.by in SEARCHING and '"' not in field.word and field.by is not By.EXCEPT:
        return "" if meant(field) else f"no attribute fits {written!r}"
    if field.by is By.EXCEPT:
        return "".join(_strangers(field.word))
    return ""


def _unknown_name(word: str, written: str) -> str:
    if PRIVATE.fullmatch(word):
        odd = int(word.strip("(")[:4], 16) % 2
        return "" if odd else "the group of a private element is odd"
    tag = _TAG.fullmatch(word)
    if tag and (int(tag[1], 16) % 2 or vrs.of_tag(int(tag[1] + tag[2], 16))):
        odd = int(tag[1], 16) % 2
        return 'a private element is named (gggg,"creator",ee)' if odd else ""
    parts = word.split("__")
    if len(parts) > 1:
        spelt = dict(zip(parts, written.split("__"), strict=True))
        strangers = [spelt[part] for part in parts if part not in _by_keyword()]
        return _not_a_keyword(strangers[0]) if strangers else ""
    return "" if meant(Field(By.NAME, word)) else _not_a_keyword(written)


def _not_a_keyword(written: str) -> str:
    return f"unknown keyword {written!r}{hint(written, keywords.all_keywords())}"


def _strangers(expression: str) -> Iterator[str]:
    """Of names that are left out, one that there is not: what it was meant for would be hit."""
    for word in expression.split("|"):
        plain = re.fullmatch(r"\w+", word) is not None
        if plain and len(word) >= _SHORTEST and not meant(Field(By.CONTAINS, word)):
            yield f"no attribute fits {word!r}"
            return
