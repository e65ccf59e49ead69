"""The verbs of ``cohortkit recipe``."""

from __future__ import annotations

import json as plain
from pathlib import Path

from cyclopts import App

import cohortkit as ck
from cohortkit.cli_words import OK, USAGE, Json, On, Page, Variables, complain, say, write_page
from cohortkit.errors import UsageError

recipe_app = App(name="recipe", help="Recipes: what may stay.")


@recipe_app.command(name="check")
def recipe_check(
    recipe: str,
    *others: str,
    on: On = "basic",
    variables: Variables = None,
    json: Json = False,
) -> int:
    """Say every fault of the recipes, each with its place. With --json, a line a recipe.

    Args:
        recipe: A name that ships, or a path.
        others: More of them.
    """
    code = OK
    for name in (recipe, *others):
        try:
            read = ck.load_recipe(name, on=on, variables=variables)
        except UsageError as error:
            if json:
                say("", {"recipe": name, "error": str(error), "exit_code": USAGE}, json)
            code = complain(str(error), USAGE)
        else:
            say(f"{name}: no fault", {"recipe": name, "digest": read.digest}, json)
    return code


@recipe_app.command(name="explain")
def recipe_explain(
    recipe: str, keyword: str | None = None, *, on: On = "basic", variables: Variables = None
) -> int:
    """Say in words what a recipe does, to everything or to one attribute.

    Args:
        recipe: A name that ships, or a path.
        keyword: A DICOM keyword or tag; a private element with its creator, such as
            'SIEMENS MR HEADER (0019,xx0c)'.
    """
    from cohortkit.recipe.explain import explain  # noqa: PLC0415 - this command alone

    print(explain(ck.load_recipe(recipe, on=on, variables=variables), keyword))
    return OK


@recipe_app.command(name="diff")
def recipe_diff(
    a: str,
    b: str,
    *,
    on: On = "basic",
    variables: Variables = None,
    html: Page = None,
    json: Json = False,
) -> int:
    """Say what recipe B lets through that A does not, and what it lets through less.

    Args:
        a: A name that ships, or a path.
        b: The other.
    """
    from cohortkit.recipe.diff import diff  # noqa: PLC0415 - this command alone

    found = diff(*(_recipe(name, on, variables) for name in (a, b)))
    if html is not None:
        write_page(html, found._repr_html_())
    say(found, found.summary(), json)
    return OK


@recipe_app.command(name="import")
def recipe_import(
    script: Path, *others: Path, on: On = "basic", html: Page = None, json: Json = False
) -> int:
    """Read scripts of CTP, and say of each statement whether it is taken over, stricter, refused.

    What an export takes is the scripts themselves: ``--recipe anonymizer.script``.

    Args:
        script: Of a DicomAnonymizer (XML), a DicomPixelAnonymizer or a DicomFilter.
        others: More of them, put together.
    """
    from cohortkit.recipe.file import imported  # noqa: PLC0415 - this command alone

    found = imported([script, *others], on=on)
    if html is not None:
        write_page(html, found._repr_html_())
    say(found, found.summary(), json)
    return OK


@recipe_app.command(name="schema")
def recipe_schema() -> int:
    """Print the JSON Schema of recipe files, for editors."""
    from cohortkit.recipe.schema import schema  # noqa: PLC0415 - this command alone

    print(plain.dumps(schema(), indent=2))
    return OK


def _recipe(name: str, on: str, variables: Path | None) -> ck.Recipe:
    """A recipe; what is for another language is handed to such a recipe alone."""
    deids = Path(name).suffix in {".dicom", ".deid"}
    return ck.load_recipe(name, on=on, variables=variables if deids else None)
