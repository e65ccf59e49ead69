"""The public face: which names there are, where they come from, what they cost."""

from __future__ import annotations

import ast
import inspect
import json
import logging
import subprocess
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest

import cohortkit as ck

ROOT = Path(__file__).resolve().parents[1]
FACE = ROOT / "src" / "cohortkit" / "__init__.py"


@pytest.mark.parametrize("name", ck.__all__)
def test_each_name_is_there_and_says_what_it_is(name: str) -> None:
    """Every public name resolves, has a docstring, and is the thing of that name."""
    thing = getattr(ck, name)

    assert inspect.getdoc(thing)
    assert name in {getattr(thing, "__name__", name).rpartition(".")[2], name}


def test_the_list_is_sorted_and_complete() -> None:
    """``__all__``, the table of homes and ``dir()`` agree."""
    assert sorted(ck.__all__) == ck.__all__
    assert sorted([*ck._HOME, "load_cohort"]) == ck.__all__
    assert set(ck.__all__) <= set(dir(ck))


def test_type_checkers_see_the_same_names_at_the_same_homes() -> None:
    """The imports under TYPE_CHECKING are those that happen at run time."""
    tree = ast.parse(FACE.read_text("utf-8"))
    for_checkers = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.name: node.module.removeprefix("cohortkit").lstrip(".")
        for node in for_checkers.body
        if isinstance(node, ast.ImportFrom) and node.module and node.module != "pathlib"
        for alias in node.names
    }

    assert dict(ck._HOME) == seen


def test_an_unknown_name_is_an_error() -> None:
    """A misspelt name raises AttributeError, as in any module."""
    with pytest.raises(AttributeError, match="has no attribute 'scann'"):
        ck.scann  # type: ignore[attr-defined]  # noqa: B018 - that is the test


def test_a_package_never_hides_a_verb() -> None:
    """``ck.verify`` stays the verb when the package ``cohortkit.verify`` is imported."""
    import_module("cohortkit.verify.search")

    assert inspect.isfunction(ck.verify)


def test_it_says_its_version() -> None:
    """As other libraries do, and as the command does."""
    assert version("cohortkit") == ck.__version__


def _fresh(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/"
    )
    return done.stdout


LOADED = "import sys, json; print(json.dumps([m for m in {names} if m in sys.modules]))"


def test_importing_it_imports_nothing_heavy() -> None:
    """``import cohortkit`` loads neither pydicom nor polars nor any other library."""
    names = ("pydicom", "numpy", "polars", "pandas", "SimpleITK", "deid", "nibabel", "pydantic")

    assert [] == json.loads(_fresh("import cohortkit;" + LOADED.format(names=names)))


def test_using_it_imports_no_optional_library() -> None:
    """All public names together load neither pandas nor SimpleITK nor deid."""
    names = ("pandas", "SimpleITK", "deid", "matplotlib", "pyarrow")
    everything = "import cohortkit as ck; [getattr(ck, n) for n in ck.__all__];"

    assert [] == json.loads(_fresh(everything + LOADED.format(names=names)))


def test_it_configures_no_logging() -> None:
    """The logger ``cohortkit`` has a NullHandler, and importing leaves the root logger alone."""
    handlers = logging.getLogger("cohortkit").handlers

    assert any(isinstance(handler, logging.NullHandler) for handler in handlers)
    assert "[]\n" == _fresh("import logging, cohortkit; print(logging.getLogger().handlers)")


def test_it_leaves_pydicom_as_it_was() -> None:
    """Loading every part of cohortkit changes no setting of pydicom."""
    code = """
import cohortkit as ck
from pydicom import config

def look():
    return {k: repr(v) for k, v in vars(config).items() if not k.startswith("_")}

before = look(), dict(vars(config.settings))
for name in ck.__all__:
    getattr(ck, name)
print(before == (look(), dict(vars(config.settings))))
"""

    assert "True\n" == _fresh(code)
