"""The first command of the README, on a machine that has nothing but Python."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` folder of a new environment after ``pip install .``, as the README says it."""
    folder = tmp_path_factory.mktemp("fresh")
    venv.create(folder / "venv", with_pip=True)
    bin_ = folder / "venv" / "bin"
    install = [bin_ / "python", "-m", "pip", "install", "--quiet", "."]
    done = subprocess.run(install, cwd=ROOT, capture_output=True, text=True, check=False)

    assert 0 == done.returncode, done.stdout + done.stderr
    return bin_


def _run(fresh: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "COHORTKIT"))}
    env["PATH"] = f"{fresh}{os.pathsep}{os.defpath}"
    return subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_first_command(fresh: Path, tmp_path: Path) -> None:
    """``pip install . && cohortkit demo`` ends well and says where to look, and it is there."""
    assert "pip install . && cohortkit demo" in README
    done = _run(fresh, tmp_path, "cohortkit", "demo")

    assert 0 == done.returncode, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    named = re.findall(r"\S+report\.html", done.stdout)
    assert named
    assert (tmp_path / named[0]).is_file()


@pytest.mark.slow
def test_an_installation_has_what_it_needs(fresh: Path, tmp_path: Path) -> None:
    """Recipes, types and licence are installed; tests and notebooks are not."""
    code = "import cohortkit, pathlib; print(pathlib.Path(cohortkit.__file__).parent)"
    package = Path(_run(fresh, tmp_path, str(fresh / "python"), "-c", code).stdout.strip())
    shipped = sorted(p.name for p in (ROOT / "recipes").glob("*.toml"))

    assert ROOT not in package.parents
    assert (package / "py.typed").is_file()
    assert shipped == sorted(p.name for p in (package / "recipes").glob("*.toml"))
    assert list(package.parent.glob("cohortkit-*.dist-info/licenses/LICENSE"))
    assert not (package.parent / "tests").exists()


@pytest.mark.slow
@pytest.mark.parametrize("recipe", sorted(p.stem for p in (ROOT / "recipes").glob("*.toml")))
def test_an_installed_recipe_is_found_by_name(fresh: Path, tmp_path: Path, recipe: str) -> None:
    """A recipe that ships is found by its short name, away from any checkout."""
    done = _run(fresh, tmp_path, "cohortkit", "recipe", "check", recipe)

    assert 0 == done.returncode, done.stderr


def test_the_second_command_is_what_ci_runs() -> None:
    """The README names ``scripts/test``, and ``.ci/run`` calls it; both can be executed."""
    assert "scripts/test" in README
    assert "scripts/test" in (ROOT / ".ci" / "run").read_text("utf-8")
    assert os.access(ROOT / "scripts" / "test", os.X_OK)
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_the_interpreter_is_one_we_promise() -> None:
    """The tests run on a Python that the project declares."""
    assert sys.version_info >= (3, 11)
