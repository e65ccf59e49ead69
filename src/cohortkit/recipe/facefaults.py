"""What a recipe must not say of faces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from cohortkit.recipe.basisfaults import STRICT
from cohortkit.recipe.model import BLOCK, FacePolicy, Option, Recipe

_OPTION: Final = Option.CLEAN_RECOGNIZABLE_VISUAL_FEATURES


def find(recipe: Recipe, *, basis: bool) -> Iterator[str]:
    """Every fault, by place.

    Args:
        recipe: to be looked at.
        basis: whether its basis is what the file says.
    """
    faces = recipe.faces
    accepting = faces.accept_heads or faces.accept_unknown
    if (accepting or faces.defaces) and not faces.reason:
        yield "faces.reason: missing; faces are accepted or removed only with a reason"
    if faces.reason and not accepting and not faces.defaces:
        yield "faces.reason: a reason, but nothing is accepted or defaced"
    if basis and recipe.basis in STRICT and accepting:
        yield f"faces: {recipe.basis} forbids full-face and comparable images"
    yield from _option(recipe)
    if faces.method != BLOCK and faces.defacer is None:
        yield (
            "faces.method: no defacer of this name was given; block is the one that ships, others "
            "are given to load_recipe(defacers=…)"
        )


def _option(recipe: Recipe) -> Iterator[str]:
    """Deed and claim go together: what is not defaced does not leave under the option."""
    faces = recipe.faces
    if _OPTION not in recipe.options:
        if faces.defaces:
            yield f"options: faces are defaced; that is the option {_OPTION}"
        return
    if not faces.deface_heads:
        yield f'options: {_OPTION} removes faces; say [faces] heads = "deface"'
    if faces.accept_unknown:
        yield (
            f"faces.unknown_body_part: {_OPTION} removes faces, and a head may be among these; "
            'say "deface" or "refuse"'
        )


def idle(
    method: str | None, depth: int | None, faces: FacePolicy, defacers: Mapping[str, object]
) -> Iterator[str]:
    """What is said and does nothing.

    Args:
        method: as the file says it.
        depth: as the file says it.
        faces: what the recipe does.
        defacers: what the caller gives.
    """
    for name, value in (("method", method), ("depth_mm", depth)):
        if value is not None and not faces.defaces:
            yield f"faces.{name}: nothing is defaced"
    if depth is not None and faces.defaces and faces.method != BLOCK:
        yield f"faces.depth_mm: that is of the method {BLOCK}"
    if BLOCK in defacers:
        yield f"defacers.{BLOCK}: the method of this name ships; call it otherwise"
    elif defacers and faces.method not in defacers:
        yield "defacers: the recipe names none of them as its method"
