"""The ten actions of the MIDI-B challenge, and intervals, on studies with an answer key.

    python benchmarks/midi.py [--standard CSV] [--misses]

24 made-up patients with two studies of CT, MR and ultrasound each, 432 files. cohortkit exports
them under the basic profile with modified dates, and a rule that blanks the box into which the
ultrasound draws names. Each value has a question: was the date moved, by as much as every other of
this patient; is the UID another, and the same wherever it stood; is the text gone, or still there.

Exits 1 where an action is done in less than 99.9 % of its cases, or a file did not come out. Exits
2 where the judge finds a bare read and write to have done anything but retain.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from pathlib import Path

from leak import peers
from leak.table import DATE_VRS, Attribute, Table
from midi import studies
from midi.checks import Action
from midi.score import GOAL, Judge, Score

ROOT = Path(__file__).resolve().parent.parent
STANDARD = ROOT.parent / "shared" / "standard" / "ps3_15_table_e1-1.csv"
SHIPPED = ROOT / "src" / "cohortkit" / "recipe" / "data" / "table.csv"


def main() -> int:
    """Make the studies, let cohortkit export them, score."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--standard", type=Path, default=None, help="Table E.1-1 as CSV")
    parser.add_argument("--misses", action="store_true", help="tell what was not done")
    parser.add_argument("--seed", type=int, default=20_260_101)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        standard = given.standard or (STANDARD if STANDARD.exists() else SHIPPED)
        answers = studies.build(work / "studies", shifted(standard), given.seed)
        scores = []
        for adapter in ("null_pydicom", "cohortkit_midi"):
            run = peers.run(sys.executable, adapter, work / "studies", work / adapter)
            if run.broken:
                print(f"{adapter}: {run.broken}")
                return 2
            scores.append(Judge(answers, work / adapter).score())
    null, ours = scores
    print(table(ours, null))
    if given.misses or not ours.met:
        for check in ours.missed[:60]:
            print(f"    {check.action}: {check.path}, file {check.file}")
    if ours.absent:
        print(f"{ours.absent} files did not come out")
    return 2 if not sound(null) else not ours.met


def shifted(standard: Path) -> list[Attribute]:
    """Dates of the table that move under modified dates (C), but for the usual ones.

    Args:
        standard: with a column of its own for the option, or the options' codes in ``clean``.
    """
    lines = [line for line in standard.read_text("utf-8").splitlines() if line[:1] != "#"]
    moved = {
        int(row["tag"], 16)
        for row in csv.DictReader(lines)
        if "X" not in row["tag"]
        and (
            row.get("retain_longitudinal_modified_dates") == "C"
            or "113107" in (row.get("clean") or "").split()
        )
    }
    dates = [one for one in Table(standard).of(DATE_VRS, listed=True) if one.vr != "TM"]
    return [one for one in dates if one.tag in moved and one.name not in studies.DATES]


def table(ours: Score, null: Score) -> str:
    """A row for each action."""
    lines = [f"{'action':<24} {'asked':>7} {'done':>7} {'share':>9}   read + write only"]
    for action in Action:
        mark = "" if ours.share(action) >= GOAL else "   missed"
        lines.append(
            f"{action.value:<24} {ours.asked[action]:>7,} {ours.done[action]:>7,} "
            f"{ours.share(action):>9.3%}   {null.share(action):.1%}{mark}"
        )
    return "\n".join(lines)


def sound(null: Score) -> bool:
    """Whether the judge sees that a bare read and write retains all and does nothing else."""
    for action in Action:
        share = null.share(action)
        if action in {Action.PIXELS_RETAINED, Action.TAG_RETAINED, Action.TEXT_RETAINED}:
            wrong = share < 1
        else:
            wrong = action not in {Action.TEXT_NOT_NULL, Action.INTERVAL_KEPT} and share > 0
        if wrong:
            print(f"The judge is broken: {action.value} is {share:.1%} after a bare read and write")
            return False
    return True


if __name__ == "__main__":
    sys.exit(main())
