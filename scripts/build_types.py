#!/usr/bin/env python3
"""Build ``types.csv`` and ``inside.csv``: who needs the attributes that Annex E leaves open.

    python scripts/build_types.py [OUT]

The modules of each IOD and the types of their attributes (PS3.3) are read from highdicom, which
the tests install. OUT is the package's data folder. The same input gives the same bytes.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from importlib import resources
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[1] / "src" / "cohortkit" / "recipe" / "data"
NOTE = """\
# For each SOP class the attributes of PS3.15 Table E.1-1 with several codes (X/Z, X/D ...) that its
# IOD has at the top level: required (type 1 or 1C in any of its modules) and empty (2 or 2C). All
# others are of type 3 there or unknown to it. Built by scripts/build_types.py; do not edit.
"""
INSIDE = """\
# For each sequence the same attributes in its items: required (type 1 or 1C in any module where the
# sequence stands), empty (2 or 2C, and never 1) and optional (3 in all). What is not named is not
# known here, and gets the code that keeps any item valid. Built by scripts/build_types.py; do not
# edit.
"""


def read(name: str) -> Any:  # noqa: ANN401 - JSON
    """A table of highdicom's."""
    return json.loads(resources.files("highdicom._standard").joinpath(name).read_text("utf-8"))


def open_attributes(table: Path) -> frozenset[str]:
    """Keywords to which the profile gives several codes, but for references (U*)."""
    lines = (line for line in table.read_text("utf-8").splitlines() if line[:1] != "#")
    rows = csv.DictReader(lines)
    return frozenset(
        row["keyword"]
        for row in rows
        if "/" in row["basic"] and row["keyword"] and not row["basic"].endswith("U*")
    )


def types(wanted: frozenset[str]) -> str:
    """A line a SOP class."""
    modules, iods = read("module_attribute_map.json"), read("iod_module_map.json")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["sop_class", "required", "empty"])
    for uid, iod in sorted(read("sop_class_iod_map.json").items()):
        found: dict[str, str] = {}
        for module in iods[iod]:
            for one in modules.get(module["key"], ()):
                if not one["path"] and one["keyword"] in wanted:
                    kind = one["type"][0]
                    found[one["keyword"]] = min(kind, found.get(one["keyword"], kind))
        for_each = (sorted(w for w, kind in found.items() if kind == t) for t in "12")
        writer.writerow([uid, *(" ".join(words) for words in for_each)])
    return NOTE + text.getvalue()


def inside(wanted: frozenset[str]) -> str:
    """A line a sequence; a type that no module states is left out."""
    found: dict[str, dict[str, str]] = {}
    for module in read("module_attribute_map.json").values():
        for one in module:
            kind = str(one["type"])[0]
            if one["path"] and one["keyword"] in wanted and kind in "123":
                there = found.setdefault(one["path"][-1], {})
                there[one["keyword"]] = min(kind, there.get(one["keyword"], kind))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["sequence", "required", "empty", "optional"])
    for sequence, kinds in sorted(found.items()):
        for_each = (sorted(w for w, kind in kinds.items() if kind == t) for t in "123")
        writer.writerow([sequence, *(" ".join(words) for words in for_each)])
    return INSIDE + text.getvalue()


def build(out: Path) -> None:
    """Write both into ``out``."""
    wanted = open_attributes(DATA / "table.csv")
    for name, text in (("types.csv", types(wanted)), ("inside.csv", inside(wanted))):
        (out / name).write_text(text, encoding="utf-8", newline="\n")
        print(f"{name}: {text.count(chr(10))} lines")


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else DATA)
