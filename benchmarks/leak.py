"""What survives de-identification: cohortkit and its peers on one corpus, and what it costs.

    python benchmarks/leak.py [--standard CSV] [--cache FOLDER] [--only NAME …] [--groups]

The corpus (``leak/corpus.py``) is made from pydicom's dictionary and PS3.15 Table E.1-1: some
18,000 values in 93 files, each unlike any other, so that finding any part of one in an output is
a leak. The judge (``leak/judge.py``) imports nothing of cohortkit. Peers are installed from PyPI
into environments of their own below the cache folder; one that cannot be is named, and the rest
goes on. CPU is that of one 512 x 512 CT slice read, de-identified and written.

cohortkit runs twice: as it is, and with text cleaned and not removed (descriptions, and what no
table lists). In the same run the 1,000 commonest real SeriesDescriptions of the Imaging Data
Commons go through the latter, and 180 into which somebody typed an identity.

Exits 1 where cohortkit misses a goal: no value that must go, none of the file meta, none in free
text but for the documented technical list, all numbers and sequences kept, 95 % of the real
descriptions kept and none of the typed identities. With --options, what these keep by the table
is not held against it, and nothing else may be left. Exits 2 where the judge
finds less than it must: everything after a bare read and write, something after dicognito and deid.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from leak import corpus, descriptions, peers, speed, verdict
from leak.judge import judge
from leak.needles import Needles
from leak.sheet import Key
from leak.table import Table
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "src" / "cohortkit" / "recipe" / "data"
STANDARD = ROOT.parent / "shared" / "standard" / "ps3_15_table_e1-1.csv"
TECHNICAL = DATA / "technical.csv"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "cohortkit-benchmarks"

_ENCODINGS = {
    "explicit": ExplicitVRLittleEndian,
    "implicit": ImplicitVRLittleEndian,
    "big-endian": ExplicitVRBigEndian,
    "deflated": DeflatedExplicitVRLittleEndian,
}


def main() -> int:
    """Make the corpus, run the tools, judge them."""
    given = _given()
    if not given.standard.exists():
        given.standard = DATA / "table.csv"
        print("Table E.1-1 as cohortkit ships it: judge and judged share it (see --standard)")
    documented = verdict.technical(given.technical)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        key = corpus.build(work / "corpus", given.standard, given.seed, _ENCODINGS[given.encoding])
        told = f"{len(key.markers):,} values planted in {len(key.names)} files, "
        print(told + f"{len(key.numbers):,} numbers and {len(key.sequences):,} sequences to keep")
        needles = Needles(key.markers)
        judged = [_judged(peer, given, work, key, needles) for peer in _chosen(given.only)]
        if given.slices:
            _clock(judged, given, work)
        described = _described(given, work)
    print(verdict.table(judged, documented))
    if given.groups:
        print("\n".join(verdict.groups(one) for one in judged))
    if described:
        print(described)
    kept = Table(given.standard).kept_by(given.options)
    return _exit(judged, documented, kept, described)


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--standard", type=Path, default=STANDARD, help="Table E.1-1 as CSV")
    parser.add_argument("--technical", type=Path, default=TECHNICAL, help="documented kept text")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where environments are kept")
    parser.add_argument("--only", nargs="*", default=[], help="parts of names of tools")
    parser.add_argument("--groups", action="store_true", help="survivors by how they were planted")
    parser.add_argument("--no-descriptions", action="store_true", help="headers alone")
    parser.add_argument("--options", nargs="*", default=[], help="of Annex E, for cohortkit")
    parser.add_argument("--encoding", choices=_ENCODINGS, default="explicit", help="of most files")
    parser.add_argument("--seed", type=int, default=corpus.SEED)
    parser.add_argument("--slices", type=int, default=65, help="for the clock; 0: do not time")
    parser.add_argument("--rounds", type=int, default=3, help="of the clock")
    return parser.parse_args()


def _chosen(only: list[str]) -> list[peers.Peer]:
    return [one for one in peers.PEERS if not only or any(part in one.name for part in only)]


def _judged(
    peer: peers.Peer, given: argparse.Namespace, work: Path, key: Key, needles: Needles
) -> verdict.Judged:
    python, why = peers.installed(peer, given.cache)
    if not python:
        return verdict.Judged(peer, why=f"not installed ({why})")
    target = work / peer.adapter
    options = " ".join(given.options)
    run = peers.run(python, peer.adapter, work / "corpus", target, options=options)
    if run.broken:
        return verdict.Judged(peer, why=f"did not run ({run.broken})")
    return verdict.Judged(peer, run, judge(target, key, needles))


def _clock(judged: list[verdict.Judged], given: argparse.Namespace, work: Path) -> None:
    speed.build(work / "series", given.standard, given.slices)
    ran = {one.peer: peers.installed(one.peer, given.cache)[0] for one in judged if one.run}
    took = peers.timed(ran, work / "series", work, given.rounds)
    for one in judged:
        one.cpu_ms = took.get(one.peer)
        if one.peer.timed and one.run:
            whole = peers.run(sys.executable, one.peer.adapter, work / "series", work / "whole")
            one.whole_ms = None if whole.broken else whole.cpu_ms


def _described(given: argparse.Namespace, work: Path) -> descriptions.Verdict | str:
    """Real descriptions under clean descriptors, by cohortkit; words where there is no verdict."""
    if given.no_descriptions:
        return ""
    python, why = peers.installed(peers.DATA, given.cache)
    if not python:
        return f"Descriptions: not installed ({why})"
    real = descriptions.commonest(given.cache / peers.DATA.adapter)
    cases = descriptions.build(work / "described", real, given.seed)
    run = peers.run(sys.executable, "cohortkit_descriptors", work / "described", work / "cleaned")
    if run.broken:
        return f"Descriptions: did not run ({run.broken})"
    return descriptions.judge(work / "cleaned", cases)


def _exit(
    judged: list[verdict.Judged],
    documented: frozenset[str],
    kept: frozenset[str],
    described: descriptions.Verdict | str,
) -> int:
    doubts = list(verdict.broken(judged))
    if doubts:
        print("The judge is broken: " + "; ".join(doubts))
        return 2
    ours = [one for one in judged if one.peer.ours]
    for one in ours:
        print("\n".join(verdict.noted(one, documented)))
    misses = [
        f"{one.peer.name}: {line}" for one in ours for line in verdict.missed(one, documented, kept)
    ]
    misses += verdict.undescribed(described) if ours else []
    if ours:
        met = "cohortkit: goals met" + ("" if described else "; descriptions were not asked for")
        print("\n".join(["cohortkit misses goals:", *misses]) if misses else met)
    return 1 if misses else 0


if __name__ == "__main__":
    sys.exit(main())
