"""The verbs that ask an index: ``scan``, ``search``, ``describe``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

import cohortkit as ck
from cohortkit.cli_words import OK, Json, Page, Workers, say, write_page
from cohortkit.cohort.terms import read_terms
from cohortkit.cohort.written import read_step


def scan(
    archive: Path,
    index: Path,
    *,
    digest: bool = False,
    containers: Annotated[bool | None, Parameter(negative="--no-containers")] = None,
    workers: Workers = None,
    json: Json = False,
) -> int:
    """Index an archive in place. Run again, it opens only what changed.

    Args:
        archive: The folder of DICOM files. It is only read.
        index: The folder of the index store. It holds identities: keep it as the archive is kept.
        digest: Read every file to its end, each time: what has changed is seen where size and time
            do not tell, and what was moved or copied is known again.
        containers: Index the files inside tar and zip as well, where they lie. Unsaid: as the scan
            before did.
    """
    store = ck.scan(
        archive,
        index,
        digest=digest,
        containers=containers,
        workers=workers,
        progress=not json,
    )
    skipped = store.skipped().group_by("reason").len().sort("reason")
    facts = {
        "index": index,
        "version": store.version,
        "files": store.counts,
        "skipped": dict(skipped.iter_rows()),
        "found": store.summary().to_dicts(),
    }
    say(repr(store), facts, json)
    return OK


def search(
    index: str,
    *terms: str,
    text: list[str] | None = None,
    then: list[str] | None = None,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"])] = None,
    json: Json = False,
) -> int:
    """Choose series by DICOM keywords and save the choice as a cohort file.

    A term is KEYWORD=VALUE. ``*`` and ``?`` in text are wildcards, LOW..HIGH is a closed range of
    dates, times or numbers (a side may be left open), nothing after ``=`` is an absent value, and
    the same keyword again is another accepted value.

    Args:
        index: An index store, or a Parquet or CSV table with DICOM keywords as columns.
        terms: What is asked, for example ``Modality=CT StudyDate=2022-01-01..2024-12-31``.
        text: Words that the descriptions hold, all of them, whatever case and accents. Said again,
            one of the texts is enough.
        then: A step that follows, as Python has it: ``first_per patient by=StudyDate nth=2``,
            ``best_per study prefer=plane=axial prefer=SliceThickness``, ``nearest dates.csv
            on=PatientID date=surgery days=-30..7``, ``pairs days=90..365 same=Modality``,
            ``match case=grade=malignant same=sex within=age_years:2``, ``split train=0.8
            test=0.2``; also search, text, join, only, exclude and sample. Said again, one after
            the other.
        out: The cohort file to write. It holds identities.
    """
    opened = ck.open_index(index)
    cohort = opened.search(**read_terms(terms, opened.series().collect_schema()))
    cohort = cohort.text(*text) if text else cohort
    for step in [read_step(one) for one in then or ()]:
        cohort = step.of(cohort)
    if out is not None:
        cohort.save(out)
    say(cohort, {"cohort": out, "flow": cohort.flow().to_polars().to_dicts()}, json)
    return OK


def describe(index: str, *, html: Page = None, json: Json = False) -> int:
    """Say what an index holds: modalities, departments, years, and how complete its columns are.

    Args:
        index: An index store, a table, a database or a server.
    """
    found = ck.open_index(index).describe()
    if html is not None:
        write_page(html, found._repr_html_())
    say(found, found.summary(), json)
    return OK
