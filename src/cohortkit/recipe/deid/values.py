"""The values of lines: constants, variables, functions, and how ``%values`` are split."""

from __future__ import annotations

from cohortkit.recipe.deid.lines import Given, Source

JITTER = "jitter"
KEYED = frozenset({"basic_uuid", "dicom_uuid", "pydicom_uuid", "suffix_uuid"})
"""Functions of deid that make an id; here it is keyed, so that it is the same in every run."""
OWN = frozenset({JITTER, *KEYED})
_BLANK = " "


def given_of(written: str | None) -> Given:
    """The value of a line as written."""
    text = (written or "").strip()
    kind, colon, rest = text.partition(":")
    if colon and kind in {one.value for one in Source if one is not Source.CONSTANT}:
        name, _, options = rest.strip().partition(" ")
        pairs = tuple(
            (key, value) for key, _, value in (one.partition("=") for one in options.split())
        )
        return Given(Source(kind), name, pairs)
    return Given(Source.CONSTANT, text)


def split_of(written: str | None, *, split: bool) -> tuple[str, int] | str:
    """Separator and least length of a SPLIT line, or what is wrong with it."""
    if not split:
        return ("", 1)
    by, least = _BLANK, 1
    for part in (written or "").split(";"):
        name, equals, value = (word.strip() for word in part.partition("="))
        if not name:
            continue
        if name == "minlength" and value.isdecimal():
            least = int(value)
        elif name == "by" and equals:
            by = value.strip("'").strip('"') or _BLANK
        else:
            return f"SPLIT takes by= and minlength=, not {name!r}"
    return (by, max(least, 1))


def days_of(given: Given) -> int | None:
    """The whole days of a constant or of deid's jitter; None where it says none."""
    if given.source is Source.OWN and given.text == JITTER:
        options = dict(given.options)
        days, years = options.get("days", "1"), options.get("years", "0")
        if whole(days) and whole(years):
            return int(days) + 365 * int(years)
        return None
    return int(given.text) if whole(given.text) else None


def whole(text: str) -> bool:
    """Whether a text is a whole number of days that somebody may mean."""
    return text.lstrip("+-").isdecimal() and len(text) <= 6  # noqa: PLR2004 - no one jitters longer
