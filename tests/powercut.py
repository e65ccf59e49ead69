"""Exports whose power is cut before a step, for many steps; then the same command again.

What a disk that writes late may leave (``disk.py``) is held to what a release promises at any time:
a record tells of files that are there, a manifest of a whole release that the audit log knows. Of
some of these states the same command has to make the release of an undisturbed run.

    python tests/powercut.py BASE DISK [HOW_MANY]    all steps, each in all ways, without a number

``BASE`` holds an archive, its index and a key, as the kill tests have it; ``DISK`` is overwritten.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import random
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cohortkit as ck
from cohortkit.run.engines import Local
from cohortkit.run.records import from_json
from disk import Disk, Left, Rest, lay, recorded
from promised import PATIENTS, tree
from stepped import forked, here

OUT = "above/out"
WAYS = ((0.0, Rest.LOST), (1.0, Rest.LOST), (1.0, Rest.ZEROS), (1.0, Rest.TORN), (0.5, Rest.ANY))
"""With what chance names are there that were not synced, and what becomes of bytes."""


@dataclass(frozen=True)
class Story:
    """A run, and what was done at that place before."""

    name: str
    run: Callable[[Path, Path], object]
    before: Callable[[Path, Path], object] | None = None


def export(base: Path, out: Path, to: list[object], **asked: object) -> None:
    """By the public face; what is asked for is a search or an option."""
    more = {name: asked.pop(name) for name in list(asked) if name.islower()}
    cohort = ck.open_index(base / "index").search(**asked)
    plan = ck.plan(cohort, ck.load_recipe("basic"), to=to)  # type: ignore[arg-type]
    key = ck.Key.from_file(base / "key")
    made = ck.export(plan, out, key=key, workers=1, progress=False, **more)  # type: ignore[arg-type]
    assert made.exit_code == 0


def first(base: Path, out: Path) -> None:
    """Two series, as volumes, pictures and tables."""
    export(base, out, ["nifti", "png", ck.Tables(csv=True)], limit=2)


def both(base: Path, out: Path) -> None:
    """What both patients have of one kind."""
    export(base, out, ["dicom", ck.Tables(csv=True)], Modality="MR")


def one_left(base: Path, out: Path) -> None:
    """One patient has gone, another series of the other one has come."""
    one = PATIENTS[0].patient_id
    to = ["dicom", ck.Tables(csv=True)]
    export(base, out, to, PatientID=one, Modality=["CT", "MR"], gone="withdraw")


def otherwise(base: Path, out: Path) -> None:
    """The same, asked for in another way."""
    export(base, out, ["dicom", ck.Png(bits=8)], Modality="MR", changed="redo")


STORIES = (
    Story("first", first),
    Story("increment", one_left, both),
    Story("redo", otherwise, both),
)


@dataclass(frozen=True)
class Told:
    """A story as it went: its steps, and the trees that may be whole, the last one in the end."""

    story: Story
    disk: Disk
    wholes: list[dict[str, str]]

    @property
    def release(self) -> dict[str, str]:
        """What is to leave, with its digests."""
        return _below(self.wholes[-1], "release/")


def told(story: Story, base: Path, root: Path) -> Told:
    """Let it happen once, undisturbed."""
    out, wholes = root / OUT, []
    _clear(root)
    if story.before is not None:
        before, kept = story.before, base / story.before.__name__
        if not kept.exists():
            assert forked(lambda: before(base, kept)) == 0
        shutil.copytree(kept, out)
        wholes.append(tree(out))
    steps = base / f"{story.name}.steps"

    def run() -> None:
        disk = recorded(root, lambda: story.run(base, out))
        steps.write_bytes(pickle.dumps(disk))

    assert forked(run) == 0
    disk = pickle.loads(steps.read_bytes())
    return Told(story, disk, [*wholes, tree(out)])


def faults(one: Told, left: Left) -> Iterator[str]:
    """What is wrong with a state, whether or not anybody goes on from there."""
    found = {
        path.removeprefix(f"{OUT}/"): data
        for path, data in left.items()
        if data is not None and path.startswith(f"{OUT}/")
    }
    digests = {path: hashlib.sha256(data).hexdigest() for path, data in found.items()}
    for path, data in found.items():
        if path.startswith("vault/records/") and not path.rpartition("/")[2].startswith("."):
            record = from_json(data)
            if record is None:
                yield "a record is torn"
            elif any(digests.get(f"release/{a.path}") != a.sha256 for a in record.artifacts):
                yield "a record tells of files that are not there"
    manifest = digests.get("release/export.json")
    if manifest is not None:
        releases = [_below(whole, "release/") for whole in one.wholes]
        if _below(digests, "release/") not in releases:
            yield "a manifest of a release that is not whole"
        if manifest.encode() not in found.get("vault/audit.jsonl", b""):
            yield "a release that the audit log does not know"


def resumed(one: Told, base: Path, root: Path, left: Left) -> str:
    """The same command again; what is wrong in the end, if anything is."""
    _clear(root)
    lay(left, root)
    if forked(lambda: one.story.run(base, root / OUT)) != 0:
        return "the same command does not go on"
    if forked(lambda: _verified(base, root / OUT)) != 0:
        return "not in order: verify says so"
    found = tree(root / OUT)
    if _below(found, "release/") != one.release:
        return "another release"
    if set(found) != set(one.wholes[-1]):
        return f"other files: {sorted(set(found) ^ set(one.wholes[-1]))[:5]}"
    return ""


def _verified(base: Path, out: Path) -> None:
    """Digests, records and the audit log."""
    assert ck.verify(out, ck.Key.from_file(base / "key")).ok


def _below(found: dict[str, str], folder: str) -> dict[str, str]:
    return {path: digest for path, digest in found.items() if path.startswith(folder)}


def _clear(root: Path) -> None:
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()


def main(base: Path, root: Path, many: int | None, seed: int) -> dict[str, object]:
    """Tell every story, look at each step in one way drawn, go on from ``many`` of them.

    Without a number: each step in each way, and go on from all of them.
    """
    Local.run = here  # type: ignore[method-assign,assignment]  # no worker processes
    chance = random.Random(seed)
    wrong: list[list[object]] = []
    steps, tried = {}, 0
    for story in STORIES:
        one = told(story, base, root)
        cuts = range(len(one.disk.steps) + 1)
        steps[story.name] = len(cuts)
        share = None if many is None else set(chance.sample(cuts, min(many, len(cuts))))
        for cut in cuts:
            ways = WAYS if share is None else [chance.choice(WAYS)]
            for way in ways:
                left = one.disk.left(cut, *way, chance)
                found = set(faults(one, left))
                if share is None or cut in share:
                    tried += 1
                    found |= set(filter(None, [resumed(one, base, root, left)]))
                wrong += [[story.name, cut, way[0], way[1].name, what] for what in sorted(found)]
    return {"seed": seed, "steps": steps, "resumed": tried, "wrong": wrong}


if __name__ == "__main__":
    asked = int(sys.argv[3]) if len(sys.argv) > 3 else None
    seed = int(os.environ.get("COHORTKIT_CUT_SEED", "0")) or random.SystemRandom().randrange(10**6)
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]), asked, seed), indent=1))
