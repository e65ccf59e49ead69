"""A DicomAnonymizer script as rules on top of a recipe. Pure.

What the script keeps is kept where the house lets a recipe keep it. What the script takes from a
value goes at least as far; what it does in ways that are not the house's goes whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cohortkit.recipe import vr as vrs
from cohortkit.recipe.ctp import names
from cohortkit.recipe.ctp.calls import NotUnderstood, parse
from cohortkit.recipe.ctp.conditions import both, one
from cohortkit.recipe.ctp.wanted import HELD_BACK, Meaning, Verdict, Wanted, meaning
from cohortkit.recipe.ctp.xml import Entry
from cohortkit.recipe.deid.decide import BIRTH, OBJECT_UIDS
from cohortkit.recipe.deid.fields import By, Field
from cohortkit.recipe.deid.lines import Given, Line, Source, Verb
from cohortkit.recipe.hints import hint
from cohortkit.recipe.model import (
    Action,
    Area,
    Attribute,
    Deed,
    Match,
    PixelRule,
    PrivateElement,
    Recipe,
    Rule,
    Temporal,
)
from cohortkit.recipe.policy import FIXED, Policy
from cohortkit.recipe.rulefaults import PIXELS
from cohortkit.recipe.targets import Known, everything, is_direct

_NO_TEXT = frozenset({"SQ", "OB", "OW", "OF", "OD", "OL", "OV", "UN", "AT"})
_FIRST_OBJECT_GROUP = 0x0008
_LEFT_BY_CTP = frozenset({0x0028, 0x7FE0})
_SWITCHES = ("curves", "overlays", "privategroups", "unspecifiedelements")
_SAFE_PRIVATE = "safeprivateelements"
_HIDES = frozenset({Action.REMOVE, Action.EMPTY, Action.DUMMY})


@dataclass(frozen=True, slots=True)
class Row:
    """A statement of a script, and what became of it.

    Attributes:
        place: ``line 12``, with the file where there are several.
        about: the element, group or signature.
        written: what the script says.
        words: what is done instead, or more; empty where it is taken over as it is.
    """

    place: str
    about: str
    written: str
    verdict: Verdict
    words: str = ""


@dataclass(slots=True)
class Taken:
    """What scripts come to, gathered.

    Attributes:
        rules: by their target; a later one goes before an earlier one.
        pixels: refusals of ``@quarantine``, and what pixel scripts and filters say.
    """

    rules: dict[Attribute | PrivateElement, Rule] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    pixels: list[PixelRule] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def take(entries: tuple[Entry, ...], name: str, base: Recipe, taken: Taken, *, file: str) -> None:
    """Add what a script says.

    Args:
        entries: of the script.
        name: of its file, for reasons.
        base: the recipe that it is put on top of.
        taken: what is added to.
        file: for places, where there are several scripts; else empty.
    """
    script = _Script(name, base, taken, file, _parameters(entries))
    seen: set[int] = set()
    for entry in entries:
        if entry.enabled and entry.kind == "e":
            seen |= script.element(entry)
    script.unmoved()
    for entry in entries:
        if entry.kind in "kr":
            script.switch(entry)
    if any(e.enabled and e.kind == "r" and e.about == _SWITCHES[-1] for e in entries):
        kept = {e.about.lower() for e in entries if e.enabled and e.kind == "k"}
        script.unspecified(seen, kept)


def _parameters(entries: tuple[Entry, ...]) -> Mapping[str, str]:
    return {entry.about: entry.text for entry in entries if entry.kind == "p"}


class _Script:
    """One script while it is taken over."""

    def __init__(
        self, name: str, base: Recipe, taken: Taken, file: str, parameters: Mapping[str, str]
    ) -> None:
        self.name, self.base, self.taken, self.file = name, base, taken, file
        self.parameters, self.policy = parameters, Policy(base)
        self.named: dict[Attribute | PrivateElement, int] = {}

    def place(self, entry: Entry) -> str:
        return f"{self.file} line {entry.number}" if self.file else f"line {entry.number}"

    def element(self, entry: Entry) -> set[int]:
        """Add what a replacement says; its tag, where the script names one."""
        try:
            target = names.element(entry.about)
            this = target.keyword if isinstance(target, Attribute) else ""
            meant = meaning(parse(entry.text), self.parameters, this)
        except names.NoCreator as problem:
            self._row(entry, entry.about, Verdict.REFUSED, str(problem))
            return set()
        except (names.UnknownName, NotUnderstood) as problem:
            self.taken.faults.append(f"{self.place(entry)}: {problem}")
            return set()
        if target in self.named:
            words = f"{target} has a statement already, on line {self.named[target]}"
            self.taken.faults.append(f"{self.place(entry)}: {words}")
            return set()
        self.named[target] = entry.number
        self._forget(target)
        meant = _told(meant)
        self._refusals(target, meant, entry)
        if isinstance(target, PrivateElement):
            self._private(target, meant.wanted, entry)
            return set()
        self._standard(target, meant.wanted, entry)
        return {target.tag}

    def _forget(self, target: Attribute | PrivateElement) -> None:
        """What an earlier script says of an element, of which this one says something else."""
        self.taken.rules.pop(target, None)
        self.taken.lines[:] = [one for one in self.taken.lines if one.written != str(target)]

    def _refusals(self, target: Attribute | PrivateElement, meant: Meaning, entry: Entry) -> None:
        """Objects that CTP would hold back, where they have this element."""
        keyword = target.keyword if isinstance(target, Attribute) else ""
        for clauses in meant.refusals:
            if not keyword:
                words = "an element without a keyword cannot hold objects back"
                self.taken.faults.append(f"{self.place(entry)}: {words}")
                return
            there = clauses if meant.wanted.always else both(one(keyword, Match.PRESENT), clauses)
            reason = f"{self.place(entry)}: {target}: @quarantine"
            rule = PixelRule(there, Deed.REFUSE, Area.ALL, (), reason, origin=self.name, whole=True)
            self.taken.pixels.append(rule)

    def _private(self, target: PrivateElement, wanted: Wanted, entry: Entry) -> None:
        if wanted.action is Action.KEEP:
            self._rule(target, Action.KEEP)
            self._row(entry, str(target), wanted.verdict, wanted.words)
        elif wanted.action is Action.REMOVE:
            self._rule(target, Action.REMOVE)
            self._row(entry, str(target), Verdict.TAKEN)
        else:
            self._rule(target, Action.REMOVE)
            self._row(entry, str(target), Verdict.STRICTER, "a private element goes whole")

    def _standard(self, target: Attribute, wanted: Wanted, entry: Entry) -> None:
        problem = _out_of_reach(target.tag)
        if problem:
            self._row(entry, str(target), Verdict.REFUSED, problem)
        elif wanted.action is Action.SET:
            self._constant(target, wanted, entry)
        elif wanted.action in (Action.KEEP, Action.SHIFT, Action.UID):
            self._revealing(target, wanted, entry)
        else:
            self._hidden(target, wanted, entry)

    def _constant(self, target: Attribute, wanted: Wanted, entry: Entry) -> None:
        vr = vrs.of_tag(target.tag)
        if vr in _NO_TEXT or not target.keyword or target.tag in OBJECT_UIDS:
            self._close(target)
            self._row(entry, str(target), Verdict.REFUSED, "it holds no text; the value goes")
            return
        named = (Field(By.NAME, target.keyword.lower()),)
        given = Given(Source.CONSTANT, wanted.text)
        verbs = (Verb.REPLACE, Verb.ADD) if wanted.always else (Verb.REPLACE,)
        for verb in verbs:
            place = self.place(entry)
            self.taken.lines.append(Line(place, verb, target.keyword, named, given))
        self._row(entry, str(target), wanted.verdict, wanted.words)

    def _revealing(self, target: Attribute, wanted: Wanted, entry: Entry) -> None:
        tag, vr = target.tag, vrs.of_tag(target.tag)
        action = wanted.action
        assert action is not None
        if tag in BIRTH:
            self._row(entry, str(target), Verdict.STRICTER, "never kept, not even moved; it goes")
            return
        if is_direct(Known(tag, target.keyword, vr)) and action is not Action.UID:
            words = "it identifies by itself: as the profile has it"
            self._row(entry, str(target), Verdict.STRICTER, words)
            self._close(target)
            return
        misplaced = action is Action.UID and vr != "UI"
        misplaced |= action is Action.SHIFT and vr not in vrs.DATED
        if misplaced:
            self._close(target)
            words = f"a value of VR {vr or 'unknown'} is none; nothing of it stays"
            self._row(entry, str(target), Verdict.STRICTER, words)
            return
        there = self.policy.decide(tag, vr or "UN", None)
        if action is Action.KEEP and vr in vrs.DATED and self.base.temporal is Temporal.MODIFIED:
            action = Action.SHIFT
        enough = there.action is action or (there.action is Action.KEEP and action is Action.KEEP)
        if not enough:
            self._rule(target, action)
        self._row(entry, str(target), *_kept(action, wanted, vr))

    def _hidden(self, target: Attribute, wanted: Wanted, entry: Entry) -> None:
        if wanted.action is None:
            self._close(target)
            self._row(entry, str(target), wanted.verdict, wanted.words)
            return
        if target.tag in OBJECT_UIDS:
            words = "without one it is no object; a new UID, as the profile has it"
            self._row(entry, str(target), Verdict.REFUSED, words)
            return
        there = self.policy.decide(target.tag, vrs.of_tag(target.tag) or "UN", None)
        if there.action is not wanted.action and (
            wanted.action is Action.REMOVE or there.action not in _HIDES
        ):
            self._rule(target, wanted.action)
        self._row(entry, str(target), wanted.verdict, wanted.words)

    def _close(self, target: Attribute) -> None:
        """Nothing of the value may stay; where the profile puts a pseudonym, that stands there."""
        there = self.policy.decide(target.tag, vrs.of_tag(target.tag) or "UN", None)
        if there.action not in _HIDES and target.tag not in OBJECT_UIDS:
            self._rule(target, Action.REMOVE)

    def unmoved(self) -> None:
        """A true date beside a moved one gives the shift away, so where one moves all do."""
        rules = self.taken.rules
        if not any(rule.action is Action.SHIFT for rule in rules.values()):
            return
        for target, rule in rules.items():
            dated = isinstance(target, Attribute) and vrs.of_tag(target.tag) in vrs.DATED
            if dated and rule.action is Action.KEEP:
                rules[target] = Rule(target, Action.SHIFT, rule.reason)

    def switch(self, entry: Entry) -> None:
        """Whole groups, kept or removed."""
        about = entry.about.lower()
        if entry.kind == "r" and about in _SWITCHES:
            if entry.enabled:
                self._row(entry, about, Verdict.TAKEN)
            elif about != _SWITCHES[-1]:
                self._row(entry, about, Verdict.STRICTER, "they go all the same")
        elif entry.kind == "k" and (about == _SAFE_PRIVATE or _is_group(about)):
            if entry.enabled:
                words = "what the profile lets stay of it, stays"
                self._row(entry, f"group {about}", Verdict.STRICTER, words)
        else:
            known = (*_SWITCHES, _SAFE_PRIVATE)
            place = self.place(entry)
            self.taken.faults.append(f"{place}: unknown {about[:40]!r}{hint(about, known)}")

    def unspecified(self, seen: set[int], kept: set[str]) -> None:
        """Remove what the script does not name, as CTP does, and where it does not."""
        groups = _LEFT_BY_CTP | {int(group, 16) for group in kept if _is_group(group)}
        for known in everything():
            spared = known.tag in seen or known.tag in OBJECT_UIDS or known.tag >> 16 in groups
            if spared or _out_of_reach(known.tag):
                continue
            there = self.policy.decide(known.tag, known.vr or "UN", None)
            target = Attribute(known.tag, known.keyword)
            self._forget(target)
            if there.action not in _HIDES:
                reason = f"{self.name} does not name it"
                self.taken.rules[target] = Rule(target, Action.REMOVE, reason)

    def _rule(self, target: Attribute | PrivateElement, action: Action) -> None:
        self.taken.rules[target] = Rule(target, action, f"as {self.name} has it")

    def _row(self, entry: Entry, about: str, verdict: Verdict, words: str = "") -> None:
        row = Row(self.place(entry), about, entry.text, verdict, words)
        self.taken.rows.append(row)


def _told(meant: Meaning) -> Meaning:
    """With the refusal in the words, where there is one beside what happens to the value."""
    if not meant.refusals or meant.wanted.words == HELD_BACK:
        return meant
    always = () in meant.refusals  # nobody can ask the condition
    held_back = f"{'where it stands' if always else 'where the condition says so'}, {HELD_BACK}"
    words = "; ".join(filter(None, (meant.wanted.words, held_back)))
    return replace(meant, wanted=replace(meant.wanted, words=words))


def _is_group(text: str) -> bool:
    return 0 < len(text) <= 4 and all(c in "0123456789abcdef" for c in text)  # noqa: PLR2004 - gggg


def _out_of_reach(tag: int) -> str:
    """Why no rule speaks of an attribute; empty where one may."""
    group = tag >> 16
    if group < _FIRST_OBJECT_GROUP:
        return "file meta and directory are made anew"
    if tag in FIXED:
        return FIXED[tag].why
    if tag in PIXELS:
        return "pixels are judged by [pixels] and [faces]"
    return "curves and overlays go whole" if group >> 8 in (0x50, 0x60) else ""


def _kept(action: Action, wanted: Wanted, vr: str) -> tuple[Verdict, str]:
    """Verdict and words for what stays in some form."""
    words = {
        "SQ": "each attribute inside is judged by itself",
        "AS": "90 and over as 90",
    }.get(vr, "")
    if action is Action.SHIFT and wanted.action is Action.KEEP:
        words = "moved by the patient's shift, as all dates of the recipe"
    said = "; ".join(filter(None, (wanted.words, words)))
    return (Verdict.STRICTER if words else wanted.verdict), said
