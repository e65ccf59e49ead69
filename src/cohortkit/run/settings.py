"""Which export an output holds: recipe, outputs, key and the code that decides bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

from cohortkit.deidentify.idtable import IdTable
from cohortkit.deidentify.keyfile import Key
from cohortkit.deidentify.people import People
from cohortkit.errors import KeyFileError, OutputError
from cohortkit.model import FORMAT, Parts
from cohortkit.protocols import Writer
from cohortkit.recipe.model import Recipe
from cohortkit.run.about import describe
from cohortkit.run.place import Place, cause, publish

KEYED = "keyed"
"""What ``ids`` says where they are made with the key; else it names the table."""

_MAKERS = ("cohortkit", "imagecodecs", "isal", "numpy", "polars")

_WORDS = {
    "recipe": "under another recipe",
    "variables": "with other values for the recipe's variables",
    "outputs": "with other outputs or options",
    "project": "for another project",
    "key_id": "with another key",
    "ids": "with ids out of another table, or of none",
    "people": "with other people merged",
    "split": "with another split",
    "made_with": "by another version of cohortkit or of its codecs",
}

Changed = Literal["refuse", "redo"]

_WHOSE = frozenset({"project", "key_id", "ids"})
"""With another of these every pseudonym is another: that is another export, in another folder."""

_ABSENT = {"variables": "", "ids": KEYED, "people": "", "split": []}
"""What is absent in what an earlier version wrote."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What must be the same for a run to be a resume."""

    body: dict[str, Any]

    @property
    def digest(self) -> str:
        """SHA-256 over all of it."""
        return hashlib.sha256(json.dumps(self.body, sort_keys=True).encode()).hexdigest()


def settings_of(
    recipe: Recipe,
    outputs: Sequence[Writer],
    key: Key,
    ids: IdTable | None,
    people: People,
    *,
    parts: Parts = (),
) -> Settings:
    """The settings of this run."""
    body = {
        "format": FORMAT,
        "recipe": {"name": recipe.name, "digest": recipe.digest},
        "outputs": [describe(one) for one in outputs],
        "project": key.project,
        "key_id": key.key_id,
        "ids": KEYED if ids is None else {"table": ids.table_id},
        "people": key.pseudonyms().token("people", people.digest()) if people else "",
        "variables": _variables(recipe, key),
        "split": parts,
        "made_with": made_with(),
    }
    return Settings(json.loads(json.dumps(body, default=str)))


def _variables(recipe: Recipe, key: Key) -> str:
    """A keyed digest, for the values are of patients; empty where there are none."""
    variables = recipe.script.variables
    if not variables.names:
        return ""
    plain = hashlib.sha256(repr(variables.plain()).encode()).hexdigest()
    return key.pseudonyms().token("variables", plain)


def made_with() -> dict[str, str]:
    """The versions of what decides bytes; of two that differ the same plan gives two releases."""
    return {name: _version(name) for name in _MAKERS}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def read(place: Place, said: str) -> Settings | None:
    """The settings of the export that lies there; None for a new place.

    Raises:
        OutputError: it cannot be read, or is of a later format.
    """
    try:
        body = json.loads(place.settings.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise OutputError(f"output {said}: {cause(error)}") from None
    except ValueError:
        raise OutputError(f"output {said}: its vault is damaged (export.json)") from None
    if body.get("format") != FORMAT:
        raise OutputError(f"output {said}: made by another version of cohortkit")
    return Settings(body)


def of_export(place: Place, said: str, key: Key) -> Settings:
    """The settings of the export that lies there, made with this key.

    Raises:
        OutputError: there is none, or it cannot be read.
        KeyFileError: made with another key.
    """
    found = read(place, said)
    if found is None:
        raise OutputError(f"output {said}: there is no export")
    if (found.body["project"], found.body["key_id"]) != (key.project, key.key_id):
        raise KeyFileError(f"output {said}: made with another key")
    return found


def differing(
    place: Place, settings: Settings, said: str, *, changed: Changed = "refuse"
) -> tuple[str, ...]:
    """Hold the output to one export.

    Args:
        place: the output.
        settings: of this run.
        said: the output as the caller wrote it.
        changed: whether an export of the same project and key may be done again otherwise.

    Returns:
        What is other than it was, in words; nothing for a new place, or where all is the same.

    Raises:
        OutputError: the output holds another export.
    """
    there = read(place, said)
    if there is None:
        if place.release.is_dir() and any(place.release.iterdir()):
            raise OutputError(f"output {said}: it holds a release that no export there explains")
        return ()
    body = {**_ABSENT, **there.body}
    other = [name for name in _WORDS if body.get(name) != settings.body[name]]
    words = tuple(_WORDS[name] for name in other)
    again = _WHOSE.isdisjoint(other)
    if other and not (again and changed == "redo"):
        way = ', or do all of it anew with changed="redo" (--changed redo)' if again else ""
        raise OutputError(
            f"output {said}: it holds an export made {' and '.join(words)}; choose another "
            f"folder, or go on with what it was made with{way}"
        )
    return words


def keep(place: Place, settings: Settings) -> None:
    """Leave in the vault which export it is."""
    data = json.dumps(settings.body, indent=1, sort_keys=True).encode() + b"\n"
    publish(place.settings, data)
