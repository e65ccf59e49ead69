"""The docs are true: every block runs, every command, recipe and public name has its place."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import cohortkit as ck
import hospital
import pages
from cohortkit import cli
from cohortkit.errors import CohortkitError

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"])
PAGES += sorted((ROOT / "docs").rglob("*.md"))
REFERENCE = ROOT / "docs" / "reference.md"


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hospital of the docs, made once."""
    folder = tmp_path_factory.mktemp("hospital")
    hospital.build(folder)
    return folder


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_block_runs(
    page: Path, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each block of the page runs in order, and prints what the page says."""
    if not list(pages.blocks(page)):
        return
    folder = tmp_path / "page"
    shutil.copytree(archive, folder)
    monkeypatch.chdir(folder)

    assert pages.Runner(page, folder, ROOT).run()


def test_the_runner_sees_a_lie(tmp_path: Path) -> None:
    """Wrong output, a failing block, an unknown kind and a missing test each turn it red."""
    lies = (
        "```python\nprint(1)\n```\n\n```text\n2\n```\n",
        "```python\n1 / 0\n```\n",
        "```bash\nfalse\ntrue\n```\n",
        "```console\n$ echo one\ntwo\n```\n",
        "```ruby\nputs 1\n```\n",
        "<!-- run by: tests/test_docs.py::test_that_is_not_there -->\n```bash\ntrue\n```\n",
    )
    for number, text in enumerate(lies):
        page = tmp_path / f"{number}.md"
        page.write_text(text, "utf-8")
        with pytest.raises((AssertionError, ZeroDivisionError)):
            pages.Runner(page, tmp_path, ROOT).run()


def test_the_runner_believes_the_truth(tmp_path: Path) -> None:
    """A true page passes, and all of its blocks are counted."""
    page = tmp_path / "true.md"
    page.write_text(
        "<!-- file: a.txt -->\n```\nhello\n```\n\n```console\n$ cat a.txt\nhel...\n```\n\n"
        "```python\nprint(1)\n```\n\n```text\n1\n```\n",
        "utf-8",
    )

    assert 4 == pages.Runner(page, tmp_path, ROOT).run()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    """Relative links and pictures point at files of the project."""
    text = page.read_text("utf-8")
    targets = [t.split("#")[0] for t in re.findall(r"\]\(([^)\s]+)\)", text)]
    local = [t for t in targets if t and "://" not in t]

    assert [] == [t for t in local if not (page.parent / t).exists()]


def commands() -> list[str]:
    """Every command of the shell, as people type it."""
    found = []
    for name in cli.app:
        if name.startswith("-"):
            continue
        inner = [sub for sub in cli.app[name] if not sub.startswith("-")]
        found += [f"{name} {sub}" for sub in inner] or [name]
    return sorted(found)


def test_the_commands_are_those_of_the_design() -> None:
    """The list of commands is a promise."""
    assert [
        "crosswalk",
        "demo",
        "describe",
        "export",
        "ids import",
        "ids new",
        "inventory",
        "key new",
        "plan",
        "recipe check",
        "recipe diff",
        "recipe explain",
        "recipe import",
        "recipe schema",
        "run",
        "scan",
        "search",
        "status",
        "verify",
    ] == commands()


@pytest.mark.parametrize("command", commands())
def test_every_command_is_documented(command: str) -> None:
    """The reference has a heading for each command."""
    assert f"### `cohortkit {command}`" in REFERENCE.read_text("utf-8")


@pytest.mark.parametrize("recipe", sorted(p.stem for p in (ROOT / "recipes").glob("*.toml")))
def test_every_recipe_is_documented(recipe: str) -> None:
    """The reference and the recipes' own page name each recipe that ships."""
    assert f"`{recipe}`" in REFERENCE.read_text("utf-8")
    assert f"{recipe}" in (ROOT / "recipes" / "README.md").read_text("utf-8")


def test_every_public_name_is_documented() -> None:
    """The reference has a heading for each public name, and for nothing else."""
    headings = re.findall(r"^### `ck\.(\w+)", REFERENCE.read_text("utf-8"), re.MULTILINE)

    assert sorted(ck.__all__) == sorted(headings)


def _tree(kind: type[BaseException]) -> set[str]:
    return {kind.__name__}.union(*(_tree(child) for child in kind.__subclasses__()))


def test_every_reason_and_error_is_documented() -> None:
    """The reference lists the closed list of reasons with their words, and the exceptions."""
    text = REFERENCE.read_text("utf-8")

    assert [] == [r.code for r in ck.Reason if f"`{r.code}` | {r.words}" not in text]
    assert [] == sorted(name for name in _tree(CohortkitError) if f"`{name}`" not in text)


def test_every_dependency_has_its_line_of_reason() -> None:
    """The note on dependencies and ``pyproject.toml`` name the same packages."""
    import tomllib  # noqa: PLC0415 - this test alone

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = [*project["project"]["dependencies"]]
    for name, extra in project["project"]["optional-dependencies"].items():
        wanted += extra if name != "all" else []
    for group in project["dependency-groups"].values():
        wanted += [line for line in group if not line.startswith("cohortkit")]
    declared = {re.match(r"[\w.-]+", line)[0] for line in wanted}  # type: ignore[index]  # a requirement begins with a name
    note = (ROOT / "docs" / "design" / "0002-dependencies.md").read_text("utf-8")
    rows = [line.split("|")[1] for line in note.splitlines() if line.startswith("| `")]
    named = {name for cell in rows for name in re.findall(r"`([\w.-]+)`", cell)}

    assert declared == named
