"""A recipe's decisions, worked out once for each kind of element and remembered."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

from pydicom import datadict

from cohortkit.deidentify.text.kept import Text, text_of
from cohortkit.deidentify.values import SIZES, TEXTS
from cohortkit.recipe import profile
from cohortkit.recipe.deid.lines import Given
from cohortkit.recipe.model import Action, Basis, Decision, Recipe, Temporal
from cohortkit.recipe.policy import FIXED, Policy, in_place, keeps_private

_MOST_STEPS = 20_000
_FIRST_GROUP = 0x0008
_PIXELS, _PADDING, _SIGNATURES, _GROUP_LENGTH = 0x7FE0, 0xFFFC, 0xFFFA, 0
_BIRTH_DATES = frozenset({0x00100030, 0x00100033, 0x00100034})
# What no recipe keeps: a copy of what was taken away, seals over what was changed, the character
# set of the source, and the statement of de-identification, which is made anew.
_NEVER = frozenset(
    {
        0x00080005,  # SpecificCharacterSet: what is released is UTF-8
        0x00120062,  # PatientIdentityRemoved
        0x00120063,  # DeidentificationMethod
        0x00120064,  # DeidentificationMethodCodeSequence
        0x00280303,  # LongitudinalTemporalInformationModified
        0x04000500,  # EncryptedAttributesSequence
        0x04000550,  # ModifiedAttributesSequence
        0x04000561,  # OriginalAttributesSequence
        0x4FFE0001,  # MACParametersSequence
    }
)
# What holds pictures or names of devices in bytes, and stays only where a rule names it
_BY_RULE_ONLY = frozenset({0x00880200, 0x00282000})  # IconImageSequence, ICCProfile
_MADE = frozenset({Action.DUMMY, Action.EMPTY, Action.SET})
"""Actions that put a value, or none, where one was."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is done to one kind of element.

    Attributes:
        vr: what the value is read as.
        loose: a rule of the recipe keeps it, so that its form is not held against it.
        keyword: empty where there is none.
        given: the value that the recipe gives; of REMOVE the function that is asked first.
        text: as what a value that stays is judged by its form; None where it is not.
        tells_who: a sequence of which the codes are people or records; they go.
        otherwise: what is done where that function says no, or where cleaning leaves nothing.
    """

    action: Action
    vr: str
    loose: bool = False
    keyword: str = ""
    given: Given | None = None
    otherwise: Step | None = None
    tells_who: bool = False
    text: Text | None = None


_GONE = Step(Action.REMOVE, "UN")


class Rules:
    """The compiled recipe. One answer for each (tag, VR in the file, private creator)."""

    def __init__(self, recipe: Recipe) -> None:
        self._policy = Policy(recipe)
        self._steps: dict[tuple[int, str | None, str | None, str, str], Step] = {}
        self.script = recipe.script
        self.nested = recipe.script.nested
        self.steady = recipe.script.steady
        self.private = keeps_private(recipe)
        self.dated = _dated(recipe)

    def step(
        self,
        tag: int,
        file_vr: str | None,
        creator: str | None,
        within: str = "",
        place: str = "",
    ) -> Step:
        """What is done to an element of this tag, VR (None: implicit) and private creator.

        ``within`` is the keywords of the sequences around it, where the recipe is ``nested``;
        ``place`` is the SOP class of the object at whose top it stands, or the sequence around
        it, where `profile.types` has it.
        """
        key = (tag, file_vr, creator, within, place)
        found = self._steps.get(key)
        if found is None:
            if len(self._steps) >= _MOST_STEPS:
                self._steps.clear()  # only hostile files get here; memory stays bounded
            found = self._steps[key] = self._made(*key)
        return found

    @cached_property
    def additions(self) -> tuple[tuple[int, Step], ...]:
        """Elements that the recipe puts into every object, by tag."""
        lines = self._policy.lines
        if lines is None:
            return ()
        made = []
        for tag, said in sorted(lines.added().items()):
            vr = effective_vr(tag, None, None)
            fixed = _never_kept(tag) or tag in FIXED
            decision = None if fixed else self._policy.by_line(said, tag, vr, None)
            if decision is not None:
                made.append((tag, self._step(tag, vr, decision)))
        return tuple(made)

    def _made(
        self, tag: int, file_vr: str | None, creator: str | None, within: str, place: str
    ) -> Step:
        if _never_kept(tag):
            return _GONE
        vr = effective_vr(tag, file_vr, creator)
        decision = self._policy.decide(tag, vr, creator, within)
        if place:
            decision = in_place(decision, tag, place)
        return self._step(tag, vr, decision)

    def _step(self, tag: int, vr: str, decision: Decision) -> Step:
        action = decision.action
        if tag in _BY_RULE_ONLY and not decision.from_rule:
            return _GONE
        if tag in _BIRTH_DATES and action is Action.KEEP:
            action = Action.EMPTY  # never raw, whatever a rule says
        if action in _MADE and datadict.dictionary_has_tag(tag):
            vr = datadict.dictionary_VR(tag)  # a file may call text bytes; what is made is valid
        other = decision.otherwise
        otherwise = None if other is None else self._step(tag, vr, other)
        word = datadict.keyword_for_tag(tag)
        who = tag in profile.direct_identifiers() and tag not in profile.table()
        text = None if decision.from_rule else text_of(word, vr)
        return Step(action, vr, decision.from_rule, word, decision.given, otherwise, who, text)


def _dated(recipe: Recipe) -> Action:
    """What becomes of a date where the recipe keeps the element and nobody knows its VR."""
    if recipe.basis is Basis.SAFE_HARBOR:
        return Action.REMOVE
    return Action.SHIFT if recipe.temporal is Temporal.MODIFIED else Action.KEEP


def _never_kept(tag: int) -> bool:
    group = tag >> 16
    return (
        tag in _NEVER
        or group < _FIRST_GROUP
        or group in {_PIXELS, _PADDING, _SIGNATURES}
        or tag & 0xFFFF == _GROUP_LENGTH
    )


def effective_vr(tag: int, file_vr: str | None, creator: str | None) -> str:
    """What a value is read as: the file's word, or the dictionary's where the file has none.

    UN means that some system on the way did not know the attribute (PS3.5 6.2.2); where the
    dictionary does, its value is judged as what it is. Ambiguous ones read ``US or SS``.
    """
    if file_vr is not None and file_vr != "UN" and (file_vr in _KNOWN or " or " in file_vr):
        return file_vr
    try:
        if tag >> 16 & 1:
            return datadict.private_dictionary_VR(tag, creator) if creator else "UN"
        return datadict.dictionary_VR(tag)
    except KeyError:
        return "UN"


_KNOWN = TEXTS | frozenset(SIZES) | {"SQ"}


@lru_cache(maxsize=8)
def rules_for(recipe: Recipe) -> Rules:
    """The compiled recipe, shared by the series of a run."""
    return Rules(recipe)
