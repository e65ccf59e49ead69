"""The recipe that cohortkit is measured with: the basic profile, and gates that let files through.

The corpus is about headers; were its files refused for their pixels or faces, nothing would be
measured. A key of the run's own is made beside it.
"""

from __future__ import annotations

from pathlib import Path

import cohortkit as ck

_TEXT = """\
format = 1
title = "Basic profile, with gates open for a corpus of made-up files"
basis = "expert-determination"
profile = "basic"
options = [{options}]
unlisted = "{unlisted}"

[faces]
heads = "accept"
unknown_body_part = "accept"
reason = "Made-up pixels show nobody."
{accept}"""
_ACCEPT = """
[[pixels.accept]]
modality = "{modality}"
risks = [
    "high-risk-class", "stated-yes", "not-stated", "derived-secondary", "screen-save", "colour",
    "conversion-type",
]
reason = "Made-up pixels name nobody."
"""


def recipe(
    room: Path, options: tuple[str, ...] = (), more: str = "", unlisted: str = "by-rule"
) -> ck.Recipe:
    """The recipe, read from a file in a folder."""
    path = room / "open-gates.toml"
    accept = "".join(_ACCEPT.format(modality=one) for one in ("CT", "MR", "SR"))
    named = ", ".join(f'"{one}"' for one in options)
    path.write_text(
        _TEXT.format(options=named, accept=accept + more, unlisted=unlisted), encoding="utf-8"
    )
    return ck.load_recipe(path)


def key(room: Path) -> ck.Key:
    """A key of its own."""
    path = room / "leak.key"
    if not path.exists():
        ck.Key.new(path, "leak")
    return ck.Key.from_file(path)
