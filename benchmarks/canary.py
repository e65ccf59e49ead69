"""An archive full of canaries: identities in every place that objects have, and none that sings.

    python benchmarks/canary.py [--keep FOLDER]

``canary/places.py`` makes a small hospital in which one patient stands in some 80 places: header,
items, private elements, bulk data, overlays, icons, file meta, preamble, file and folder names, a
PDF, an ECG's annotations, a report's sentences, the clinical table. It is exported under three
recipes to every kind of output through the shell, and shown in a notebook that logs all it can.
``canary/judge.py``, which imports nothing of cohortkit, reads every byte that came of it (gzip, PNG
and Parquet unpacked; UTF-8 and UTF-16; base64; six digests without key).

Then the same export is betrayed on purpose, in a file's text, a file's name, a joined column, a log
line and an unkeyed digest. Each has to be caught by cohortkit itself.

Exits 1 if any canary is found, or any traitor is not; 2 if the judge is blind: a canary that it
does not find in the archive, a traitor's word that it does not find where that was left.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

from canary import judge, places, sessions

RECIPES = ("basic", "chest-ct", "descriptions-cleaned")
LEAST = 60
LEAKS = {
    "writer": places.NAME,
    "file name": places.PATIENT_ID,
    "digest": places.PATIENT_ID,
    "log line": places.NAME,
    "column": places.NAME,
}
_RECIPE = """
format = 1
title = "Labels"
basis = "expert-determination"
profile = "basic"
[labels]
note = "text"
grade = "number"
"""


def main() -> int:
    """Build, export, judge, betray."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="leave everything in this folder, made new")
    given = parser.parse_args()
    base = (given.keep or Path(tempfile.mkdtemp(prefix="canary-"))).resolve()
    base.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings(action="ignore"):  # pydicom's, of values that are odd on purpose
        known = places.build(base).known()
    blind = _unplanted(base, known)
    sung = _exports(base, known) + _shown(base, known)
    uncaught, unseen = _betrayals(base, known)
    if given.keep is None:
        shutil.rmtree(base)
    return 2 if blind or unseen else int(bool(sung or uncaught))


def _unplanted(base: Path, known: dict[str, str]) -> int:
    """Places whose canary the judge does not find in the source: it would be no proof."""
    hits = judge.found(base / "archive", known) | judge.found(base / "labels.csv", known)
    planted = set(known.values())
    missing = planted - {place for _, place in hits}
    print(f"planted in {len(planted)} places, not to be found: {sorted(missing) or 'none'}")
    return len(missing) + (len(planted) < LEAST)


def _exports(base: Path, known: dict[str, str]) -> int:
    log = base / "shell.log"
    codes = [
        sessions.shell(base, "scan", "archive", "index", log=log),
        sessions.shell(base, "search", "index", "-o", "all.cohort", log=log),
        sessions.shell(base, "key", "new", "the.key", "--project", "canary", log=log),
    ]
    kinds = [word for kind in ("nifti", "png", "dicom", "tables") for word in ("--to", kind)]
    hits = 0
    for recipe in RECIPES:
        code = sessions.shell(
            base, "export", "all.cohort", f"out-{recipe}", "--recipe", recipe, *kinds,
            "--key", "the.key", log=log,
        )  # fmt: skip
        release = base / f"out-{recipe}" / "release"
        files = sum(1 for p in release.rglob("*") if p.is_file())
        hits += _say(f"{recipe} (exit {code}, {files} files)", judge.found(release, known))
        hits += int(code != 0) + int(files < 1)
    return hits + sum(codes) + _say("what the shell said", judge.found(log, known))


def _shown(base: Path, known: dict[str, str]) -> int:
    book = sessions.notebook(base)
    release = base / "of-notebook" / "release"
    return _say("a notebook, saved", judge.found(book, known)) + _say(
        "its release", judge.found(release, known)
    )


def _betrayals(base: Path, known: dict[str, str]) -> tuple[int, int]:
    recipe = base / "labels.toml"
    recipe.write_text(_RECIPE, "utf-8")
    (base / "labels.csv").write_text(
        f"PatientID,grade,note\n{places.PATIENT_ID},3,seen by {places.NAME}\n", "utf-8"
    )
    uncaught = unseen = 0
    for where, secret in LEAKS.items():
        out, log = sessions.leak(base, where, recipe, secret)
        said = log.read_text("utf-8")
        if where == "log line":
            code = sessions.shell(
                base, "verify", out.name, "--key", "the.key", "--index", "index",
                "--also", log.name, log=base / "verify.log",
            )  # fmt: skip
            caught, left = code not in {0, 2}, log
        else:
            caught = "identity-found" in said and not judge.found(out / "release", known)
            left = out / "quarantine"
        seen = where == "column" or bool(judge.found(left, known))
        print(f"betrayed in a {where}: {'caught' if caught else 'NOT CAUGHT'}")
        uncaught, unseen = uncaught + (not caught), unseen + (not seen)
        if not caught or not seen:
            print(f"  seen by the judge: {seen}; said:\n{said[-1500:]}")
    return uncaught, unseen


def _say(what: str, hits: set[tuple[str, str]]) -> int:
    print(f"{what}: {len(hits)} found {sorted(hits)[:8] if hits else ''}")
    return len(hits)


if __name__ == "__main__":
    sys.exit(main())
