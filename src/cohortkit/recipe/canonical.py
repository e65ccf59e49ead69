"""One form of a recipe, whatever its file looks like, and its digest."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from cohortkit.faces import block
from cohortkit.recipe import pixelrules, profile, text
from cohortkit.recipe.deid.lines import Script
from cohortkit.recipe.deid.tables import code_of
from cohortkit.recipe.model import Ids, Recipe, Rule, SafeList
from cohortkit.recipe.policy import cleans

FORMAT = 1


def canonical(recipe: Recipe) -> dict[str, Any]:
    """What a recipe says, as plain data; its name, title and description left out.

    The order of options, rules and acceptances means nothing and is lost.
    """
    return {
        "format": FORMAT,
        "tables": profile.digest(),
        "basis": recipe.basis.value,
        "profile": recipe.profile,
        "options": sorted(option.value for option in recipe.options),
        "unlisted": recipe.unlisted.value,
        "default_issuer": recipe.default_issuer,
        "shift_days": [recipe.dates.low, recipe.dates.high],
        **({"same_weekday": True} if recipe.dates.same_weekday else {}),
        "faces": [recipe.faces.accept_heads, recipe.faces.accept_unknown, recipe.faces.reason],
        **_defacing(recipe),
        "pixels": sorted(
            [item.modality or "", item.sop_class or "", sorted(item.risks), item.reason]
            for item in recipe.pixels.accept
        ),
        "pixel_rules": pixelrules.plain(recipe.pixels),
        "rules": sorted(_rule(rule) for rule in recipe.rules),
        "labels": [[label.column, label.type.value] for label in recipe.labels],
        **_script(recipe.script),
        **_text(recipe),
        **({} if recipe.ids is Ids.KEYED else {"ids": recipe.ids.value}),
        **_private(recipe),
    }


def _defacing(recipe: Recipe) -> dict[str, Any]:
    """With which method; nothing where none is used."""
    faces = recipe.faces
    if not faces.defaces:
        return {}
    code = block.VERSION if faces.defacer is None else code_of(faces.defacer)
    return {"deface": [faces.deface_heads, faces.deface_unknown, faces.method, faces.depth, code]}


def _private(recipe: Recipe) -> dict[str, str]:
    """Nothing where the list is the standard's."""
    if recipe.safe_private is SafeList.STANDARD:
        return {}
    return {"safe_private": recipe.safe_private.value}


def _script(script: Script) -> dict[str, Any]:
    """Lines in deid's language; a recipe without any says nothing of them.

    Of variables only the names: their values are of patients, and go into no digest without a key.
    """
    if not script.lines:
        return {}
    lists = [
        [name, [[str(e.field.by), e.field.word, e.by, e.least] for e in extracts]]
        for name, extracts in script.lists
    ]
    return {
        "deid": [str(line).partition(": ")[2] for line in script.lines],
        "deid_fields": [[[str(f.by), f.word] for f in line.fields] for line in script.lines],
        "deid_lists": lists,
        "deid_functions": [[name, code_of(function)] for name, function in script.functions],
    }


def _text(recipe: Recipe) -> dict[str, Any]:
    """Of text that is cleaned, and with which words; a recipe that cleans none says nothing."""
    if not cleans(recipe):
        return {}
    said = recipe.text
    return {
        "text": [
            text.digest(),
            sorted(said.words),
            said.patients,
            [[name, code_of(detector)] for name, detector in said.detectors],
        ]
    }


def digest(recipe: Recipe) -> str:
    """SHA-256 over the canonical form and the profile tables, in hexadecimal digits."""
    text = json.dumps(canonical(recipe), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _rule(rule: Rule) -> list[str]:
    kind = type(rule.target).__name__
    return [kind, str(rule.target), rule.action.value, rule.reason, str(rule.acknowledged)]
