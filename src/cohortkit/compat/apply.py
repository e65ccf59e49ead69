"""A deid recipe applied to one header as deid applies it, in one walk.

What no line means stays as it was read: it is not even decoded. Each element is changed by its own
lines, in their order; where lines look at values or call functions, see `cohortkit.compat.ordered`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from cohortkit.compat.elements import Change, Live, copied
from cohortkit.compat.ordered import in_order
from cohortkit.compat.script import Script, script_of
from cohortkit.compat.walk import Walk
from cohortkit.dicom.quiet import quiet


def deid_apply(
    ds: Dataset,
    recipe: str | Path | Sequence[str | Path] | Script | None = None,
    *,
    item: Mapping[str, Any] | None = None,
    remove_private: bool = False,
) -> Dataset:
    """What deid makes of a header under a recipe: for comparing, never for a release.

    It has no profile below it: what no line names stays, a line that deid does not understand is
    skipped, and what a recipe does not say of UIDs breaks objects. Where deid's own engine fails
    (on any sequence that holds a sequence of its own tag, when a line names it), this one goes on.

    Args:
        ds: a header, or a whole object. It is not changed; what is not changed is shared with it.
        recipe: a path, a name under which deid ships one, several of them, None for deid's
            default, or what `deid_recipe` gives, which spares looking whether a file has changed.
        item: variables and functions by name, as deid takes them for one file.
        remove_private: whether private elements go first.

    Raises:
        RecipeError: there is no such recipe, or deid cannot read it.
        MissingDependency: deid is not installed.
    """
    script = recipe if isinstance(recipe, Script) else script_of(recipe)
    with quiet():
        return _applied(copied(ds), script, dict(item or {}), remove_private=remove_private)


def deid_recipe(recipe: str | Path | Sequence[str | Path] | None = None) -> Script:
    """A recipe as deid reads it, compiled, for `deid_apply` on many headers.

    Raises:
        RecipeError: there is no such recipe, or deid cannot read it.
        MissingDependency: deid is not installed.
    """
    return script_of(recipe)


def _applied(ds: Dataset, script: Script, item: dict[str, Any], *, remove_private: bool) -> Dataset:
    meta = getattr(ds, "file_meta", None)
    if meta is not None:
        ds.file_meta = copied(meta)
    change = Change(ds, item)
    walk = Walk(script, ds, remove_private=remove_private)
    lives = walk.lives()
    if script.moving:
        in_order(script, change, lives)
        return ds
    added = {change.target(written)[0] for written in script.additions}
    by_tag: dict[int, Live] = {}
    for live in lives:
        if live.parent is None and live.tag in added:
            by_tag[live.tag] = live
            continue
        _own_lines(script, change, live)
    for tag in sorted(added):
        _with_additions(script, change, tag, by_tag.get(tag))
    return ds


def _own_lines(script: Script, change: Change, live: Live) -> None:
    for number in live.kind.lines:
        change.do(script.lines[number], live)
        if not live.alive:
            return


def _with_additions(script: Script, change: Change, tag: int, live: Live | None) -> None:
    """The lines of an element that some line adds, in order: it comes and goes as they say."""
    for number, line in enumerate(script.lines):
        if line.verb == "ADD":
            if change.target(line.written)[0] == tag:
                live = change.add(script, line, live)
        elif live is not None and live.alive and number in live.kind.lines:
            change.do(line, live)
