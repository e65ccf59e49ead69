"""CTP's scripts put on top of another recipe, whole or not at all. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cohortkit.recipe import faults as house
from cohortkit.recipe.ctp import xml
from cohortkit.recipe.ctp.elements import Row, Taken, take
from cohortkit.recipe.ctp.pixels import take_filter, take_pixels
from cohortkit.recipe.ctp.wanted import Verdict
from cohortkit.recipe.deid.lines import Script
from cohortkit.recipe.model import Recipe

LANGUAGE = "CTP"
_MARK = b"\xef\xbb\xbf"


def on_top(
    scripts: Sequence[tuple[str, bytes]], base: Recipe
) -> tuple[Recipe, tuple[Row, ...], tuple[str, ...]]:
    """A recipe, what became of each statement, and the faults.

    A script that begins with ``<`` is a DicomAnonymizer's, one with braces a
    DicomPixelAnonymizer's, any other a DicomFilter's.

    Args:
        scripts: (file name, bytes) of each, in order; a later statement about an element goes
            before an earlier one.
        base: says basis, profile, options and all that CTP has no words for.
    """
    taken = Taken()
    if base.script.lines:
        taken.faults.append(f"{base.name}: a recipe with lines in another language is no base")
    for name, data in scripts:
        _take(name, data, base, taken, file=name if len(scripts) > 1 else "")
    recipe = _recipe([name for name, _ in scripts], base, taken)
    found = list(taken.faults)
    if not found and not (taken.rows or taken.pixels):
        found.append("the script is empty: no statement is enabled")
    if not found:
        found += house.find(recipe)
    return recipe, tuple(taken.rows), tuple(dict.fromkeys(found))


def _take(name: str, data: bytes, base: Recipe, taken: Taken, *, file: str) -> None:
    if data.removeprefix(_MARK).lstrip().startswith(b"<"):
        entries, wrong = xml.read(data)
        taken.faults += [f"{file} {one}".strip() for one in wrong]
        take(entries, name, base, taken, file=file)
        return
    try:
        text = data.removeprefix(_MARK).decode("utf-8")
    except UnicodeDecodeError:
        taken.faults.append(f"{name}: neither XML nor UTF-8 text")
        return
    if "\0" in text or not text.strip():
        taken.faults.append(f"{name}: no script of CTP")
    elif "{" in text or "}" in text:
        take_pixels(text, name, taken, file=file)
    else:
        take_filter(text, name, taken, file=file)


def _recipe(names: Sequence[str], base: Recipe, taken: Taken) -> Recipe:
    own = tuple(rule for rule in base.rules if rule.target not in taken.rules)
    script = Script(lines=tuple(taken.lines), notes=tuple(_notes(taken.rows)), language=LANGUAGE)
    return replace(
        base,
        name="+".join(names),
        title=f"{', '.join(names)} on top of {base.title or base.name}",
        rules=(*own, *taken.rules.values()),
        pixels=replace(base.pixels, rules=(*base.pixels.rules, *taken.pixels)),
        script=script,
    )


def _notes(rows: Sequence[Row]) -> list[str]:
    """What is not as CTP has it, one line each."""
    return [
        f"{row.place}: {row.about}: {row.verdict}: {row.words}"
        for row in rows
        if row.verdict is not Verdict.TAKEN
    ]
