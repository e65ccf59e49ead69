"""Recipes in deid's language put on top of another recipe, whole or not at all. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cohortkit.recipe import deid_text
from cohortkit.recipe import faults as house
from cohortkit.recipe.deid import checks, tables
from cohortkit.recipe.deid.labels import rules_of
from cohortkit.recipe.deid.lines import Function, Script, Variables
from cohortkit.recipe.deid.read import Reading, overridden, read
from cohortkit.recipe.model import PixelRule, Recipe


def on_top(
    texts: Sequence[tuple[str, str]],
    base: Recipe,
    variables: Variables,
    functions: Mapping[str, Function],
) -> tuple[Recipe, tuple[str, ...]]:
    """A recipe and its faults.

    Args:
        texts: (file name, text) of each, in order; a later line goes before an earlier one.
        base: says basis, profile, options and all that deid's language has no words for.
        variables: values for ``var:``.
        functions: for ``func:``.

    Raises:
        MissingDependency: deid is not installed.
    """
    deid_text.required()
    readings = [read(text, name, several=len(texts) > 1) for name, text in texts]
    faults = [fault for one in readings for fault in one.faults]
    faults += overridden(readings)
    rules: list[PixelRule] = []
    for one in readings:
        for block in one.blocks:
            made, wrong = rules_of(block, one.name)
            rules += made
            faults += wrong
    faults += tables.unusable(functions)
    named = {o.given.text for r in readings for o in r.lines if o.given}
    called = tuple((name, functions[name]) for name in sorted(named & functions.keys()))
    brought = Script(variables=variables, functions=called)
    recipe = _recipe(readings, base, rules, brought)
    faults += house.find(recipe)
    script = replace(recipe.script, notes=tuple(dict.fromkeys(checks.notes(recipe))))
    return replace(recipe, script=script), tuple(dict.fromkeys(sorted(faults, key=_number)))


def _recipe(
    readings: Sequence[Reading], base: Recipe, rules: Sequence[PixelRule], brought: Script
) -> Recipe:
    names = [one.name for one in readings]
    script = replace(
        brought,
        lines=tuple(line for one in readings for line in one.lines),
        lists=tuple((n, tuple(x)) for one in readings for n, x in one.lists.items()),
    )
    title = f"{', '.join(names)} on top of {base.title or base.name}"
    pixels = replace(base.pixels, rules=(*base.pixels.rules, *rules))
    return replace(base, name="+".join(names), title=title, pixels=pixels, script=script)


def _number(fault: str) -> tuple[str, int]:
    """Faults in the order of the files and their lines."""
    place = fault.split(":", maxsplit=1)[0]
    file, _, number = place.rpartition("line ")
    return file, int(number) if number.isdecimal() else 0
