"""What is said beside a word that is not known. It needs no pydantic, as workers do not."""

from __future__ import annotations

from collections.abc import Iterable

from cohortkit.dicom import keywords


def hint(word: str, known: Iterable[str]) -> str:
    """``; did you mean …?`` or what there is to choose from."""
    known = sorted(known)
    near = keywords.neighbours(word, known)
    if near:
        return f"; did you mean {', '.join(near)}?"
    return f"; one of {', '.join(known)}" if 0 < len(known) <= 20 else ""  # noqa: PLR2004 - a line
