"""Recipe files: found by name or path, read, and given back whole or not at all."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from cohortkit.dicom import keywords
from cohortkit.errors import NotBuilt, RecipeError
from cohortkit.recipe import faults
from cohortkit.recipe.model import Recipe
from cohortkit.recipe.parse import parse

_LARGEST = 1_000_000  # bytes; the longest real recipe has a few thousand
_OTHER_LANGUAGES = {
    ".dicom": "deid's recipe language",
    ".deid": "deid's recipe language",
    ".script": "CTP's script language",
    ".xml": "CTP's script language",
}


def load_recipe(source: str | Path | Recipe) -> Recipe:
    """Read a recipe, whole or not at all.

    Args:
        source: the name of a recipe that ships (``"basic"``), the path of a TOML file (a text
            with a slash or a suffix is a path), or a recipe, which is checked again.

    Raises:
        RecipeError: the recipe has faults; all of them, each with its place.
        NotBuilt: a recipe in a language that this version does not read.
    """
    if isinstance(source, Recipe):
        found = faults.find(source)
        if found:
            raise RecipeError(source.name, found)
        return source
    path = Path(source)
    if isinstance(source, str) and not source.strip():
        raise RecipeError("''", ["no recipe was named"])
    if isinstance(source, Path) or "/" in source or "\\" in source or path.suffix:
        return _read(path)
    return _shipped(source)


def shipped() -> Mapping[str, Traversable]:
    """The recipes that ship, by name: of the installed package, or of the checkout beside it."""
    return dict(_shipped_files())


def _shipped(name: str) -> Recipe:
    ships = _shipped_files()
    if name not in ships:
        near = keywords.neighbours(name, ships) or tuple(ships)
        raise RecipeError(
            repr(name),
            [f"no recipe of this name ships; there is {', '.join(near)}; a path has a slash"],
        )
    return _parsed(ships[name].read_bytes(), name, name)


@cache
def _shipped_files() -> Mapping[str, Traversable]:
    installed = resources.files("cohortkit").joinpath("recipes")
    checkout = Path(__file__).resolve().parents[3] / "recipes"
    for folder in (installed, checkout):
        if folder.is_dir():
            files = [item for item in folder.iterdir() if item.name.endswith(".toml")]
            return {item.name.removesuffix(".toml"): item for item in sorted(files, key=_name)}
    return {}


def _name(item: Traversable) -> str:
    return item.name


def _read(path: Path) -> Recipe:
    said = str(path)
    language = _OTHER_LANGUAGES.get(path.suffix)
    if language:
        raise NotBuilt(f"recipe {said}: {language} is not read by this version; write TOML")
    if path.suffix != ".toml":
        raise RecipeError(said, ["a recipe file ends in .toml"])
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except FileNotFoundError:
        raise RecipeError(said, ["there is no such file"]) from None
    except IsADirectoryError:
        raise RecipeError(said, ["this is a folder, not a file"]) from None
    except OSError as error:
        raise RecipeError(said, [f"cannot be read: {error.strerror}"]) from None
    except ValueError:
        raise RecipeError(repr(said), ["no path holds a NUL"]) from None
    if len(data) > _LARGEST:
        raise RecipeError(said, [f"larger than {_LARGEST} bytes; no recipe is"])
    return _parsed(data, said, path.stem)


def _parsed(data: bytes, said: str, name: str) -> Recipe:
    try:
        document = tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise RecipeError(said, ["not UTF-8 text"]) from None
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(said, [f"not TOML: {error}"]) from None
    except RecursionError:
        raise RecipeError(said, ["not TOML: nested too deeply"]) from None
    recipe, found = parse(document, name)
    if found:
        raise RecipeError(said, found)
    return recipe
