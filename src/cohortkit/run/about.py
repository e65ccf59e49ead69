"""What the release says of itself: who asked for what, under which recipe. Names nobody."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from functools import lru_cache
from typing import Any

from cohortkit.cohort.cohort import Cohort
from cohortkit.model import Parts, Task
from cohortkit.payloads.columns import TABLES
from cohortkit.protocols import Writer
from cohortkit.recipe.explain import explain, treatment
from cohortkit.recipe.model import BLOCK, Ids, Recipe
from cohortkit.recipe.policy import Policy
from cohortkit.run.asked import asked

_UIDS = {
    "StudyInstanceUID": 0x0020000D,
    "SeriesInstanceUID": 0x0020000E,
    "SOPInstanceUID": 0x00080018,
}


@dataclass(frozen=True, slots=True)
class About:
    """The words and figures of report and manifest that no record holds.

    Attributes:
        outputs: name and options of each writer.
        asked: the question, one line a step, without what the recipe holds back.
        flow: rows of the flow table.
        flow_svg: its drawing.
        series: how many series were planned.
        instances: how many instances.
        explained: the recipe in words.
        accepted: risks that the recipe accepts, with the reasons given.
        first: how many series a trial run was limited to.
        treatment: what the recipe does to each attribute that the tables may hold, by keyword.
        uids: what the recipe does to the UIDs of study, series and object, by keyword.
        ids: whether ids are keyed, or random out of a table; and then of which.
        parts: of the split that was asked for, with the share of each.
        defacing: by which method faces are blanked, and why by that one; empty where none are.
        small: columns with values that few patients have, and how many; no value.
    """

    recipe: str
    title: str
    description: str
    basis: str
    digest: str
    outputs: tuple[dict[str, Any], ...]
    asked: tuple[str, ...]
    flow: tuple[dict[str, Any], ...]
    flow_svg: str
    series: int
    instances: int
    explained: str
    accepted: tuple[str, ...] = ()
    project: str = ""
    key_id: str = ""
    first: int | None = None
    default_issuer: str = ""
    treatment: dict[str, str] = field(default_factory=dict)
    uids: dict[str, str] = field(default_factory=dict)
    ids: str = str(Ids.KEYED)
    table_id: str = ""
    parts: Parts = ()
    small: tuple[str, ...] = ()
    defacing: str = ""

    def to_json(self) -> bytes:
        """As it lies in the vault, so that ``verify`` can make the manifest again."""
        return json.dumps(asdict(self), indent=1, default=str).encode() + b"\n"

    @classmethod
    def from_json(cls, data: bytes) -> About:
        """The same again."""
        body = json.loads(data)
        lists = {name: tuple(body[name]) for name in ("outputs", "asked", "flow", "accepted")}
        parts = tuple((name, share) for name, share in body.get("parts", ()))
        small = tuple(body.get("small", ()))
        return cls(**{**body, **lists, "parts": parts, "small": small})


def describe(one: Writer) -> dict[str, Any]:
    """A writer as plain values: its name and its options."""
    options: dict[str, Any] = {}
    if is_dataclass(one):
        options = asdict(one)
    return {"name": one.name, **options}


def about(
    cohort: Cohort,
    recipe: Recipe,
    outputs: Sequence[Writer],
    tasks: Iterable[Task],
    *,
    small: Iterable[str] = (),
) -> About:
    """Gather it from what was asked."""
    planned = list(tasks)
    flow = asked(cohort, recipe)
    told = About(
        recipe=recipe.name,
        title=recipe.title,
        description=recipe.description,
        basis=str(recipe.basis),
        digest=recipe.digest,
        outputs=tuple(describe(one) for one in outputs),
        asked=tuple(map(str, flow.steps)),
        flow=tuple(flow.to_polars().to_dicts()),
        flow_svg=flow.svg(),
        series=len(planned),
        instances=sum(len(task.files) for task in planned),
        explained=_explained(recipe),
        accepted=_accepted(recipe),
        default_issuer=recipe.default_issuer,
        uids=_uids(recipe),
        ids=str(recipe.ids),
        parts=cohort.parts,
        small=tuple(small),
        defacing=_defaced(recipe),
        treatment=treatment(recipe, (one.keyword for table in TABLES.values() for one in table)),
    )
    return About.from_json(told.to_json())  # as it will be read again: plain values only


@lru_cache(maxsize=4)
def _explained(recipe: Recipe) -> str:
    """The recipe, attribute by attribute: a quarter of a second, for each recipe once."""
    return str(explain(recipe))


def _uids(recipe: Recipe) -> dict[str, str]:
    policy = Policy(recipe)
    return {name: str(policy.decide(tag, "UI", None).action) for name, tag in _UIDS.items()}


def _accepted(recipe: Recipe) -> tuple[str, ...]:
    """What privacy accepted by name, and why, in words."""
    lines = [
        f"names in the pixels of {item.modality or item.sop_class}, where the sign is "
        f"{', '.join(sorted(map(str, item.risks)))}: {item.reason}"
        for item in recipe.pixels.accept
    ]
    if recipe.faces.accept_heads:
        lines.append(f"heads with their faces: {recipe.faces.reason}")
    if recipe.faces.accept_unknown:
        lines.append(f"series whose body part is not known: {recipe.faces.reason}")
    return tuple(lines)


def _defaced(recipe: Recipe) -> str:
    faces = recipe.faces
    if not faces.defaces:
        return ""
    deep = f", {faces.depth} mm deep" if faces.method == BLOCK else ""
    return f"the method {faces.method}{deep}: {faces.reason}"
