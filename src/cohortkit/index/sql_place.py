"""Where a database is: a URL in, and the same URL without secrets out. Pure.

``postgresql://user@host:port/database#table``, ``sqlite:////folder/file.db#table``,
``duckdb:////folder/file.duckdb#table``. After the table may stand a mapping, as in
``#radiology.series;pat_id=PatientID;acc=AccessionNumber``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from cohortkit.errors import UsageError

SCHEMES: Final = {
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "sqlite": "sqlite",
    "duckdb": "duckdb",
}
"""Scheme of a URL → backend."""

NUL: Final = "\ue000"
"""In cohortkit's own tables it stands before a 0 for a NUL, which PostgreSQL cannot hold, and
before a 1 for itself."""

MAPPINGS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "omop": (
        "image_occurrence",
        {
            "person_id": "PatientID",
            "image_study_uid": "StudyInstanceUID",
            "image_series_uid": "SeriesInstanceUID",
            "image_occurrence_date": "StudyDate",
        },
    ),
}
"""Mappings by name: table, columns. ``omop`` is the imaging extension of the OMOP CDM (MI-CDM)."""

_SECRET: Final = frozenset({"password", "sslpassword", "passwd", "pwd"})
_PLAIN: Final = "/._-"


@dataclass(frozen=True, slots=True, repr=False)
class Place:
    """A database, and what is read of it. Its repr says the backend alone.

    Attributes:
        backend: ``postgresql``, ``sqlite`` or ``duckdb``.
        target: what the driver takes: a URI or a path. It may hold a password.
        location: what ``ck.open_index`` takes to come back here, without a password.
        table: the table or view, perhaps with its schema; empty for cohortkit's own tables.
        mapping: column of the table → DICOM keyword.
    """

    backend: str
    target: str = field(repr=False)
    location: str
    table: str = ""
    mapping: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<{self.backend} database>"


def place_of(url: str, mapping: Mapping[str, str] | str | None = None) -> Place:
    """Read the URL of a database.

    Args:
        url: as the module says.
        mapping: more of it, over that of the URL; or the name of one of ``MAPPINGS``.

    Raises:
        UsageError: no such scheme, no file, a fragment that cannot be read, no such mapping.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UsageError("the URL of the database cannot be read") from None
    backend = SCHEMES.get(parts.scheme.lower(), "")
    if not backend:
        raise UsageError(f"a database is one of {', '.join(sorted(SCHEMES))}://")
    table, mapped = _fragment(parts.fragment)
    if isinstance(mapping, str):
        if mapping not in MAPPINGS:
            raise UsageError(f"mapping: by name there is {', '.join(MAPPINGS)}")
        usual, mapping = MAPPINGS[mapping]
        table = table or usual
    mapped |= dict(mapping or {})
    shown = _shown(table, mapped)
    if backend == "postgresql":
        query = [item for item in parse_qsl(parts.query) if item[0].lower() not in _SECRET]
        user = f"{parts.username}@" if parts.username else ""
        host = parts.hostname or ""
        host = f"[{host}]" if ":" in host else host
        at = f"{user}{host}{f':{port}' if port else ''}"
        asked = f"?{urlencode(query)}" if query else ""
        target = url.partition("#")[0]
        target = f"postgresql{target[len(parts.scheme) :]}"
        return Place(backend, target, f"postgresql://{at}{parts.path}{asked}{shown}", table, mapped)
    path = unquote(parts.path)[1:]
    if parts.netloc or not path:
        raise UsageError(f"a file is {backend}:///file, or {backend}:////folder/file")
    file = str(Path(path).expanduser().resolve())
    return Place(backend, file, f"{backend}:///{quote(file)}{shown}", table, mapped)


def _fragment(text: str) -> tuple[str, dict[str, str]]:
    table, *pairs = text.split(";")
    mapping = {}
    for pair in pairs:
        column, sign, keyword = pair.partition("=")
        if not (column and sign and keyword):
            raise UsageError("behind the # of the URL: table;column=Keyword;column=Keyword")
        mapping[unquote(column)] = unquote(keyword)
    return unquote(table), mapping


def _shown(table: str, mapping: Mapping[str, str]) -> str:
    if not table:
        return ""
    pairs = (f";{quote(a, safe='')}={quote(b, safe='')}" for a, b in mapping.items())
    return f"#{quote(table, safe=_PLAIN)}{''.join(pairs)}"
