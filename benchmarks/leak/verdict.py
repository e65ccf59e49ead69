"""The table of all tools, what it is made of, and whether the goals are met."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from leak.descriptions import GOAL, Verdict
from leak.judge import Result, Survivor
from leak.markers import Fate
from leak.needles import How
from leak.peers import Peer, Run

_HEAD = (
    "tool, default profile", "must-go", "hashed", "file meta", "free text", "technical", "CS",
    "bytes", "numbers kept", "sequences kept", "refused", "unreadable", "CPU ms",
)  # fmt: skip


@dataclass
class Judged:
    """A tool and what was found of it.

    Attributes:
        result: None where it could not be run.
        why: why not.
        cpu_ms: CPU for each 512 x 512 slice; None where it was not timed.
        whole_ms: the same of all that the tool does around it, where that is told apart.
    """

    peer: Peer
    run: Run | None = None
    result: Result | None = None
    why: str = ""
    cpu_ms: float | None = None
    whole_ms: float | None = None


def technical(path: Path | None) -> frozenset[str]:
    """Keywords of a documented list of text that a tool keeps on purpose (column ``keyword``)."""
    if path is None or not path.exists():
        return frozenset()
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]
    return frozenset(row["keyword"] for row in csv.DictReader(lines))


def table(judged: list[Judged], documented: frozenset[str]) -> str:
    """The table, as Markdown."""
    rows = [_HEAD, tuple("---" for _ in _HEAD), *(_row(one, documented) for one in judged)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(_HEAD))]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    )


def _row(one: Judged, documented: frozenset[str]) -> tuple[str, ...]:
    result, run = one.result, one.run
    if result is None or run is None:
        return (f"{one.peer.name}: {one.why}", *("" for _ in _HEAD[1:]))
    text = result.left(Fate.TEXT)
    listed = sum(_documented(survivor, documented) for survivor in text)
    return (
        one.peer.name,
        _of(len(result.left(Fate.GOES)), result.count(Fate.GOES)),
        str(sum(len(result.left(fate, hashed=True)) for fate in Fate)),
        _of(len(result.left(Fate.META)), result.count(Fate.META)),
        _of(len(text), result.count(Fate.TEXT)),
        str(listed) if one.peer.ours else "",
        _of(len(result.left(Fate.CODE)), result.count(Fate.CODE)),
        _of(len(result.left(Fate.BYTES)), result.count(Fate.BYTES)),
        _of(*result.numbers),
        _of(*result.sequences),
        str(len(run.refused)),
        str(len(result.unreadable)),
        "" if one.cpu_ms is None else f"{one.cpu_ms:.1f}",
    )


def _of(some: int, of_all: int) -> str:
    return f"{some:,} of {of_all:,}"


def _documented(survivor: Survivor, documented: frozenset[str]) -> bool:
    return _name(survivor) in documented


def _name(survivor: Survivor) -> str:
    return survivor.marker.path.rsplit("/", 1)[-1]


def groups(one: Judged) -> str:
    """Survivors of a tool by the way they were planted."""
    if one.result is None:
        return ""
    left = Counter(s.marker.group for s in one.result.survivors.values() if s.how < How.HASHED)
    lines = [f"{one.peer.name}:"]
    for group, n in sorted(Counter(m.group for m in one.result.planted).items()):
        lines.append(f"  {left[group]:>6,} of {n:>6,}  {group}")
    return "\n".join(lines)


def missed(
    one: Judged, documented: frozenset[str], kept: frozenset[str] = frozenset()
) -> Iterator[str]:
    """Each goal that cohortkit misses, in words, with the places.

    Args:
        one: cohortkit.
        documented: text that stays on purpose.
        kept: what the options of the run keep.
    """
    if one.result is None or one.run is None:
        yield f"{one.peer.name} did not run: {one.why}"
        return
    result = one.result
    text = [s for s in result.left(Fate.TEXT) if not _documented(s, documented)]
    for what, found in (
        ("must-go", [s for s in result.left(Fate.GOES) if _name(s) not in kept]),
        ("file meta", result.left(Fate.META)),
        ("free text outside the table and the technical list", text),
        ("bytes outside the table", result.left(Fate.BYTES)),
        ("keyless hashes", [s for fate in Fate for s in result.left(fate, hashed=True)]),
    ):
        if found:
            yield f"{len(found)} survivors: {what}"
            yield from (f"    {_place(survivor)}" for survivor in found[:40])
    for what, (there, planted) in (("numbers", result.numbers), ("sequences", result.sequences)):
        if there < planted:
            yield f"{planted - there} of {planted} {what} are gone"
    yield from (f"    {one.path} ({one.vr})" for one in result.lost[:40])
    if result.unreadable:
        yield f"{len(result.unreadable)} outputs cannot be read"
    if one.run.refused:
        yield f"{len(one.run.refused)} files refused"
        yield from (f"    {name}: {why}" for name, why in sorted(one.run.refused.items())[:40])


def _place(survivor: Survivor) -> str:
    marker = survivor.marker
    depth = marker.path.count("/")
    return (
        f"{marker.path} ({marker.vr}, depth {depth}, file {marker.file}), "
        f"found {survivor.how.name.lower()} in {survivor.where}"
    )


def noted(one: Judged, documented: frozenset[str]) -> Iterator[str]:
    """What is no miss and has to be said all the same."""
    name = one.peer.name
    text = one.result.left(Fate.TEXT) if one.result else []
    listed = {_name(survivor) for survivor in text if _documented(survivor, documented)}
    if listed:
        yield (
            f"{name}: {len(text)} values of free text stay, in {len(listed)} attributes of its "
            "documented technical list, whatever was typed there; nothing outside the list"
            if all(_documented(survivor, documented) for survivor in text)
            else f"{name}: free text stays in {len(listed)} attributes of its technical list"
        )
    if one.whole_ms is not None:
        yield (
            f"{name}: a whole export, with the start of its workers, scan, search, digests and "
            f"sync, {one.whole_ms:.1f} ms of CPU a slice; the table has fetch, de-identify, write"
        )


def undescribed(described: Verdict | str) -> Iterator[str]:
    """Each goal of the descriptions that is missed."""
    if isinstance(described, str):
        yield from [described] if described else []
        return
    if described.share < GOAL:
        yield f"{described.share:.1%} of the real descriptions are kept"
        yield from (f"    {text!r}" for text in described.lost[:20])
    if described.named:
        yield f"{len(described.named)} of {described.typed} descriptions still name someone"
        yield from (f"    {text!r}" for text in described.named[:20])


def broken(judged: list[Judged]) -> Iterator[str]:
    """Why the judge itself is not to be trusted; nothing if it is.

    A bare read and write keeps everything, so that all of it has to be found; and dicognito and
    deid are known to leave identities behind.
    """
    for one in judged:
        if one.result is None:
            continue
        result = one.result
        if one.peer.adapter == "null_pydicom":
            whole = sum(s.how is How.WHOLE for s in result.survivors.values())
            if whole < len(result.planted) or result.lost or not result.planted:
                yield "not everything is found after a bare read and write"
        if one.peer.adapter in {"dicognito_default", "deid_private"} and not result.left(Fate.GOES):
            yield f"no survivor is found in {one.peer.name}, which is known to leave some"
