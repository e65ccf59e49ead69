"""Recipe files: found by name or path, read, and given back whole or not at all."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import polars as pl

from cohortkit import given
from cohortkit.dicom import keywords
from cohortkit.errors import RecipeError
from cohortkit.protocols import Defacer
from cohortkit.recipe import deid_text, faults
from cohortkit.recipe.ctp import load as ctp
from cohortkit.recipe.ctp.table import Imported
from cohortkit.recipe.deid.lines import Function, Variables
from cohortkit.recipe.deid.load import on_top
from cohortkit.recipe.deid.tables import unusable, variables_of_mapping, variables_of_table
from cohortkit.recipe.model import Recipe
from cohortkit.recipe.parse import parse
from cohortkit.recipe.policy import cleans
from cohortkit.recipe.text import Detector

_LARGEST = 1_000_000  # bytes; the longest real recipe has a few thousand
_CTP = (".script", ".xml")
_DEID = (".dicom", ".deid")
_ENDINGS = "a recipe file ends in .toml, .dicom in deid's language, .script or .xml in CTP's"
_DEID_NAME = "deid.dicom"

Source = str | Path | Recipe


def load_recipe(
    source: Source | Sequence[str | Path],
    *,
    on: Source = "basic",
    variables: object = None,
    functions: Mapping[str, Function] | None = None,
    detectors: Mapping[str, Detector] | None = None,
    defacers: Mapping[str, Defacer] | None = None,
) -> Recipe:
    """Read a recipe, whole or not at all.

    A recipe in deid's language (a file that ends in ``.dicom`` or is called ``deid.dicom…``) and
    scripts of CTP (``.script``, ``.xml``) are put on top of another recipe, which says what those
    languages have no words for.

    Args:
        source: the name of a recipe that ships (``"basic"``), the path of a TOML file, of one in
            deid's language or of a script (a text with a slash or a suffix is a path), several of
            either of the latter, or a recipe, which is checked again.
        on: what a recipe in another language is put on top of.
        variables: values for ``var:`` in deid's language: a mapping for everyone (name to value) or
            by patient (Patient ID to such a mapping), or a table (its path, or a data frame) with
            a column ``PatientID``, perhaps ``IssuerOfPatientID``, and one for each variable.
        functions: for ``func:`` in deid's language, by name; each importable by name.
        detectors: finders of what must not stay in a text that the recipe cleans, by name: each
            takes a text and gives (start, end) of every part; each importable by name.
        defacers: ways to find what of a volume shows a face, by the name that a TOML recipe calls
            its ``faces.method`` (see ``protocols.Defacer``); each importable by name.

    Raises:
        RecipeError: the recipe has faults; all of them, each with its place.
        MissingDependency: deid's language is read with deid's parser, which is an extra.
    """
    given.a(str | Path | Recipe, "on", on, "the name or path of a recipe, or a recipe")
    brought = {"functions": functions, "detectors": detectors, "defacers": defacers}
    for name, value in brought.items():
        given.a(Mapping | None, name, value, "a mapping of names to functions")
    if defacers:
        found = list(unusable(defacers, "defacers"))
        if found:
            raise RecipeError(str(source), found)
    recipe = _loaded(source, on, variables, functions, defacers or {})
    return _with_detectors(recipe, detectors) if detectors else recipe


def _with_detectors(recipe: Recipe, detectors: Mapping[str, Detector]) -> Recipe:
    found = list(unusable(detectors, "detectors"))
    if not cleans(recipe):
        found.append("detectors: nothing is cleaned; that is the option clean-descriptors")
    if found:
        raise RecipeError(recipe.name, found)
    return replace(recipe, text=replace(recipe.text, detectors=tuple(sorted(detectors.items()))))


def _loaded(
    source: Source | Sequence[str | Path],
    on: Source,
    variables: object,
    functions: Mapping[str, Function] | None,
    defacers: Mapping[str, Defacer],
) -> Recipe:
    toml = isinstance(source, str | Path) and Path(source).suffix not in (*_CTP, *_DEID)
    if defacers and not toml:
        raise RecipeError("defacers", ["these go with a TOML recipe, which names its method"])
    if isinstance(source, Recipe):
        _nothing_brought("a recipe that is loaded", variables, functions)
        found = faults.find(source)
        if found:
            raise RecipeError(source.name, found)
        return source
    if not isinstance(source, str | Path):
        given.a(Sequence, "recipe", source, "the name or path of a recipe, or a recipe")
        return _of_others([given.path("recipe", one) for one in source], on, variables, functions)
    path = Path(source)
    if isinstance(source, str) and not source.strip():
        raise RecipeError("''", ["no recipe was named"])
    if _in_deids_language(path) or path.suffix in _CTP:
        return _of_others([path], on, variables, functions)
    _nothing_brought(str(source), variables, functions)
    if isinstance(source, Path) or "/" in source or "\\" in source or path.suffix:
        return _read(path, defacers)
    return _shipped(source, defacers)


def _of_others(
    paths: Sequence[Path],
    on: Source,
    variables: object,
    functions: Mapping[str, Function] | None,
) -> Recipe:
    """A recipe in a language of others, on top of one of the house."""
    if paths and all(path.suffix in _CTP for path in paths):
        _nothing_brought(str(paths[0]), variables, functions)
        return imported(paths, on=on).recipe
    return _of_deid(paths, on, variables, functions)


def imported(paths: Sequence[str | Path], *, on: Source = "basic") -> Imported:
    """Scripts of CTP as a recipe, with a table of what became of each statement.

    Args:
        paths: scripts of a DicomAnonymizer, a DicomPixelAnonymizer, a DicomFilter, in any number.
        on: what they are put on top of.

    Raises:
        RecipeError: faults in a script; all of them, each with its line.
    """
    said = ", ".join(map(str, paths))
    if not paths:
        raise RecipeError("[]", ["no script was named"])
    scripts = [(Path(path).name, _bytes(Path(path))) for path in paths]
    recipe, rows, found = ctp.on_top(scripts, load_recipe(on))
    if found:
        raise RecipeError(said, found)
    return Imported(recipe, rows)


def _nothing_brought(said: str, variables: object, functions: object) -> None:
    if variables is not None or functions:
        raise RecipeError(said, ["variables and functions are for recipes in deid's language"])


def _in_deids_language(path: Path) -> bool:
    return path.suffix in _DEID or path.name.startswith(_DEID_NAME)


def _of_deid(
    paths: Sequence[Path],
    on: Source,
    variables: object,
    functions: Mapping[str, Function] | None,
) -> Recipe:
    said = ", ".join(str(path) for path in paths)
    other = [path for path in paths if not _in_deids_language(path)]
    if other or not paths:
        raise RecipeError(
            said or "[]", ["recipes in deid's language are read together, or scripts of CTP"]
        )
    brought, found = _variables(variables)
    texts = []
    for path in paths:
        try:
            texts.append((path.name, _bytes(_deid_file(path)).decode("utf-8-sig")))
        except UnicodeDecodeError:
            found.append(f"{path}: not UTF-8 text")
        except RecipeError as error:
            found += [f"{path}: {fault}" for fault in error.faults]
    recipe, more = on_top(texts, load_recipe(on), brought, functions or {})
    if found or more:
        raise RecipeError(said, [*found, *more])
    return recipe


def _deid_file(path: Path) -> Path:
    """The file, or of a bare name the one that deid ships."""
    if path.name == str(path) and not path.exists() and path.name in deid_text.shipped():
        return Path(str(deid_text.shipped()[path.name]))
    return path


def _variables(given: object) -> tuple[Variables, list[str]]:
    if given is None:
        return Variables(), []
    if isinstance(given, str | Path):
        return _variables_file(Path(given))
    if isinstance(given, Mapping):
        return variables_of_mapping(given)
    if isinstance(given, pl.LazyFrame):
        given = given.collect()
    if isinstance(given, pl.DataFrame) or hasattr(given, "__arrow_c_stream__"):
        return variables_of_table(pl.DataFrame(given))
    return Variables(), ["variables: a mapping, a data frame, or the path of a table"]


def _variables_file(path: Path) -> tuple[Variables, list[str]]:
    try:
        if path.suffix == ".parquet":
            return variables_of_table(pl.read_parquet(path))
        if path.suffix in (".csv", ".tsv"):
            separator = "," if path.suffix == ".csv" else "\t"
            return variables_of_table(pl.read_csv(path, separator=separator, infer_schema=False))
    except (OSError, pl.exceptions.PolarsError):
        return Variables(), [f"variables: {path} cannot be read as a table"]
    return Variables(), [f"variables: {path} is no .csv, .tsv or .parquet"]


def shipped() -> Mapping[str, Traversable]:
    """The recipes that ship, by name: of the installed package, or of the checkout beside it."""
    return dict(_shipped_files())


def _shipped(name: str, defacers: Mapping[str, Defacer]) -> Recipe:
    ships = _shipped_files()
    if name not in ships:
        near = keywords.neighbours(name, ships) or tuple(ships)
        raise RecipeError(
            repr(name),
            [f"no recipe of this name ships; there is {', '.join(near)}; a path has a slash"],
        )
    return _parsed(ships[name].read_bytes(), name, name, defacers)


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


def _read(path: Path, defacers: Mapping[str, Defacer]) -> Recipe:
    said = str(path)
    if path.suffix != ".toml":
        raise RecipeError(said, [_ENDINGS])
    return _parsed(_bytes(path), said, path.stem, defacers)


def _bytes(path: Path) -> bytes:
    said = str(path)
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise RecipeError(said, ["no regular file; from a pipe or device no recipe is read"])
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
    return data


def _parsed(data: bytes, said: str, name: str, defacers: Mapping[str, Defacer]) -> Recipe:
    try:
        document = tomllib.loads(data.decode("utf-8-sig"))  # some editors put a mark before it
    except UnicodeDecodeError:
        raise RecipeError(said, ["not UTF-8 text"]) from None
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(said, [f"not TOML: {error}"]) from None
    except RecursionError:
        raise RecipeError(said, ["not TOML: nested too deeply"]) from None
    recipe, found = parse(document, name, defacers)
    if found:
        raise RecipeError(said, found)
    return recipe
