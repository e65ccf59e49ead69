"""The tasks that records tell of, found again in an index."""

from __future__ import annotations

from collections.abc import Collection

from cohortkit.deidentify.people import People
from cohortkit.model import Task
from cohortkit.protocols import Index, Pseudonyms
from cohortkit.run.tasks import build


def recall(
    index: Index,
    wanted: Collection[str],
    pseudonyms: Pseudonyms,
    default_issuer: str,
    people: People,
) -> dict[str, Task]:
    """The task of each record, by its name on disk; without those that the index does not hold.

    Args:
        index: the index that the export was made from.
        wanted: names of records.
        pseudonyms: as in the export; nothing new is drawn.
        default_issuer: as in the export's recipe.
        people: as in the export.
    """
    series = index.series().collect()
    keys = [key for key in series["series_key"] if pseudonyms.held("task", str(key)) in wanted]
    chosen = series["series_key"].is_in(keys)
    if "SeriesInstanceUID" in series.columns:
        # a series may stand in several rows, of people who are one; its record tells of all
        uids = series.filter(chosen)["SeriesInstanceUID"].drop_nulls()
        chosen |= series["SeriesInstanceUID"].is_in(uids.implode()).fill_null(value=False)
    built = build(index, series.filter(chosen), default_issuer, (), people)
    named = {pseudonyms.held("task", task.series_key): task for task in built.tasks}
    return {name: task for name, task in named.items() if name in wanted}
