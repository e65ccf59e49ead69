"""What lines in deid's language must not say on top of the basic profile."""

from __future__ import annotations

from collections.abc import Iterator

from cohortkit.recipe import vr as vrs
from cohortkit.recipe.deid import reach, tables
from cohortkit.recipe.deid.decide import BIRTH, OBJECT_UIDS, keeps_direct
from cohortkit.recipe.deid.fields import By
from cohortkit.recipe.deid.lines import Line, Source, Verb
from cohortkit.recipe.deid.names import PRIVATE, meant
from cohortkit.recipe.deid.values import days_of, whole
from cohortkit.recipe.model import Action, Basis, Ids, Recipe, Temporal
from cohortkit.recipe.policy import FIXED
from cohortkit.recipe.rulefaults import PIXELS
from cohortkit.recipe.targets import Known

_FIRST_OBJECT_GROUP = 0x0008
_STRICT = frozenset({Basis.SAFE_HARBOR, Basis.LIMITED_DATA_SET})
_NUMBERS = frozenset({"DS", "FL", "FD", "SL", "SS", "SV", "UL", "US", "UV", "IS"})
_SHOWN = 4


def find(recipe: Recipe) -> Iterator[str]:
    """Every fault of the lines, in their order."""
    yield from tables.undefined(recipe.script)
    for line in recipe.script.lines:
        yield from _one(line, recipe)
    yield from _given_away(recipe)


def _one(line: Line, recipe: Recipe) -> Iterator[str]:
    known = tuple(k for one in line.fields for k in meant(one)) if line.exact else ()
    if line.verb is Verb.ADD:
        yield from _added(line)
    if line.verb is Verb.KEEP:
        yield from _kept(line, recipe)
    if line.verb is Verb.JITTER:
        yield from _jittered(line, known)
        yield from _no_days(line, recipe)
    if line.verb in (Verb.REPLACE, Verb.ADD):
        for one in known:
            yield from _set(line, one)


def _added(line: Line) -> Iterator[str]:
    named = line.fields[0] if line.fields else None
    if named is None or named.by is not By.NAME or PRIVATE.fullmatch(named.word):
        yield f"{line.place}: ADD names one standard attribute, by its keyword"
    elif "__" in named.word:
        yield f"{line.place}: ADD is for the top level of an object"


def _kept(line: Line, recipe: Recipe) -> Iterator[str]:
    direct = [k for k in keeps_direct(line) if k.tag not in BIRTH]
    birth = [k for one in line.fields for k in meant(one) if k.tag in BIRTH]
    if birth:
        yield f"{line.place}: never kept, not even moved: {_names(birth)}; PatientAge may be"
    if direct and recipe.basis in _STRICT:
        yield f"{line.place}: {recipe.basis} forbids direct identifiers: {_names(direct)}"
    elif direct and not line.exact:
        yield (
            f"{line.place}: KEEP {line.written} would keep what identifies by itself "
            f"({_names(direct)}); to keep it all the same, name each on a line of its own"
        )


def _jittered(line: Line, known: tuple[Known, ...]) -> Iterator[str]:
    birth = [k for one in line.fields for k in meant(one) if k.tag in BIRTH]
    if birth and line.exact:
        yield f"{line.place}: never kept, not even moved: {_names(birth)}; PatientAge may be"
    wrong = [k for k in known if k.vr not in vrs.DATED and k.tag not in BIRTH]
    if wrong:
        yield f"{line.place}: JITTER moves dates by whole days; {_names(wrong)} has none"
    given = line.given
    if given is None or given.source in (Source.VARIABLE, Source.FUNCTION):
        return
    days = days_of(given)
    if days is None:
        yield f"{line.place}: JITTER takes a whole number of days, not {given}"
    elif days == 0:
        yield f"{line.place}: JITTER by 0 days moves nothing; say KEEP"


def _no_days(line: Line, recipe: Recipe) -> Iterator[str]:
    """A variable for days that is no whole number for somebody; which number is not told."""
    given, variables = line.given, recipe.script.variables
    if given is None or given.source is not Source.VARIABLE:
        return
    rows = [variables.shared, *variables.rows.values()]
    wrong = sum(not whole(row[given.text]) for row in rows if given.text in row)
    if wrong:
        yield f"{line.place}: {given.text!r} is no whole number of days for {wrong} patients"


def _set(line: Line, known: Known) -> Iterator[str]:
    tag, given = known.tag, line.given
    if given is None:
        return
    if tag >> 16 < _FIRST_OBJECT_GROUP or tag in FIXED:
        return  # see notes
    if tag in PIXELS or tag >> 24 in (0x50, 0x60):
        yield f"{line.place}: {known.name}: a line of text makes no picture"
    elif tag == min(OBJECT_UIDS):
        yield f"{line.place}: {known.name} says what the object is; it stays"
    elif given.source is Source.CONSTANT and not _holds(known.vr, given.text):
        yield f"{line.place}: {known.name} is of VR {known.vr}, which cannot hold {given}"


def _holds(vr: str, text: str) -> bool:
    """Whether a VR can hold a constant, as far as its kind goes."""
    first = vr.split(" or ", maxsplit=1)[0]
    if first in {"SQ", "OB", "OW", "OF", "OD", "OL", "OV", "UN", "AT"}:
        return False
    if first in _NUMBERS:
        return all(_number(part) for part in text.split("\\"))
    if first in vrs.TEMPORAL:
        return text[:4].isdecimal()
    return True


def _number(text: str) -> bool:
    try:
        return float(text) == float(text)
    except ValueError:
        return False


def _given_away(recipe: Recipe) -> Iterator[str]:
    """A secret shift beside another date of the same patient that is true, or moved otherwise."""
    moving = [line for line in recipe.script.lines if _moves(line)]
    if not moving:
        return
    if recipe.temporal is Temporal.MODIFIED:
        yield f"{moving[0].place}: days of its own beside the patient's keyed shift give it away"
        return
    secret = [line for line in moving if line.given and line.given.source is Source.VARIABLE]
    found = reach.decided(recipe)
    kept = [k for k, now, _ in found if k.vr in vrs.DATED and now.action is Action.KEEP]
    if secret and (kept or recipe.temporal is Temporal.UNMODIFIED):
        yield f"{secret[0].place}: dates that stay as they are give away by how much others move"


def _moves(line: Line) -> bool:
    if line.verb is Verb.JITTER:
        return True
    given = line.given
    return given is not None and given.source is Source.OWN and given.text == "jitter"


def notes(recipe: Recipe) -> Iterator[str]:
    """What is done otherwise than deid does it, one line each."""
    for line in recipe.script.lines:
        known = tuple(k for one in line.fields for k in meant(one))
        anew = [k for k in known if k.tag in FIXED or k.tag >> 16 < _FIRST_OBJECT_GROUP]
        if anew and line.verb is not Verb.REMOVE and line.exact:
            yield f"{line.place}: {_names(anew)}: not taken over; it is made from what was done"
        uids = [k for k in known if k.tag in OBJECT_UIDS]
        if uids and line.verb in (Verb.REMOVE, Verb.BLANK):
            yield f"{line.place}: {_names(uids)}: new UIDs, for without one it is no object"
        if any(k.tag in PIXELS for k in known) and line.exact:
            yield f"{line.place}: pixels are no part of the header; %filter is about them"
        if line.given and line.given.source is Source.OWN and line.given.text != "jitter":
            how = "keyed, not random" if recipe.ids is Ids.KEYED else "random, kept in a table"
            yield f"{line.place}: {how}: the same value gives the same in every run"


def _names(known: list[Known] | tuple[Known, ...]) -> str:
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return ", ".join(k.name for k in known[:_SHOWN]) + more
