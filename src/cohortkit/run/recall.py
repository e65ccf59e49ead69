"""What the vault says of an export, and the tasks of its records, found again in an index."""

from __future__ import annotations

from collections.abc import Collection

from cohortkit.deidentify.people import People
from cohortkit.errors import OutputError
from cohortkit.model import Task
from cohortkit.protocols import Index, Pseudonyms
from cohortkit.run.about import About
from cohortkit.run.place import Place, cause
from cohortkit.run.tasks import build


def about_of(place: Place, said: str) -> About:
    """What the vault says of an export.

    Raises:
        OutputError: nothing, or nothing that can be read.
    """
    try:
        return About.from_json((place.vault / "about.json").read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise OutputError(f"output {said}: no export is there, or it has not begun yet") from None
    except OSError as error:
        raise OutputError(f"output {said}: {cause(error)}") from None
    except (ValueError, KeyError, TypeError):
        raise OutputError(f"output {said}: its vault is damaged (about.json)") from None


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
