"""The report: one self-contained page in plain words, for the office that signs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from cohortkit.model import PixelWork, Record, Status
from cohortkit.recipe.model import BLOCK, CODES, Option
from cohortkit.run.about import About
from cohortkit.run.counts import counts, reasons
from cohortkit.run.redactions import total
from cohortkit.run.version import VERSION

_STYLE = """
:root { color-scheme: light }
body { font: 16px/1.5 system-ui, sans-serif; color: #1d2733; max-width: 60rem; margin: 2rem auto;
  padding: 0 1rem }
h1 { font-size: 1.6rem; margin-bottom: 0 } h2 { font-size: 1.15rem; margin-top: 2.2rem;
  border-bottom: 1px solid #ccd5de; padding-bottom: .2rem }
table { border-collapse: collapse; margin: .6rem 0 } th, td { text-align: left; padding: .2rem
  .9rem .2rem 0; vertical-align: top; border-bottom: 1px solid #e8edf2 }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
p.lead { color: #4a5866; margin-top: .2rem } .not li { margin-bottom: .35rem }
pre { background: #f5f7f9; padding: .8rem; overflow-x: auto; font-size: .85rem; white-space:
  pre-wrap } svg { max-width: 100%; height: auto } code { font-size: .9em }
.bad { color: #8f1d1d }
"""

_BASES = {
    "expert-determination": "an expert's determination under HIPAA (45 CFR 164.514(b)(1))",
    "limited-data-set": "a limited data set under HIPAA (45 CFR 164.514(e)), which needs a data "
    "use agreement",
    "gdpr-pseudonymised": "pseudonymisation under the GDPR (article 4(5)): these are still "
    "personal data",
    "authorization": "the patients' authorization",
}


def report(records: Sequence[Record], about: About) -> str:
    """The page. It asks nothing of the network and names nobody."""
    parts = [
        _head(about),
        _summary(records, about),
        _asked(about),
        _flow(about),
        _ended(records),
        _search(records),
        _pixels(records),
        _small(about),
        _not_done(records, about),
        _recipe(about),
    ]
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>Export report: {escape(about.recipe)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _head(about: About) -> str:
    basis = _BASES.get(about.basis, about.basis)
    title = about.title or about.recipe
    return (
        f"<h1>Export report: {escape(title)}</h1>\n"
        f'<p class="lead">Recipe <code>{escape(about.recipe)}</code>, made for release on the '
        f"basis of {escape(basis)}. Project <code>{escape(about.project)}</code>, key "
        f"<code>{escape(about.key_id)}</code>, cohortkit {escape(VERSION)}.</p>"
    )


def _summary(records: Sequence[Record], about: About) -> str:
    done = len(records)
    lines = [f"{about.series:,} series ({about.instances:,} objects) were planned."]
    if not about.series:
        lines.append("The cohort held no series, so this release holds no data.")
    if about.first is not None:
        lines.append(f"This was a trial run, limited to {about.first:,} series.")
    if done < about.series:
        lines.append(f"{about.series - done:,} of them have not been tried yet.")
    failed = sum(any(one.status is Status.FAILED for one in rec.outcomes) for rec in records)
    if failed:
        lines.append(f"{failed:,} failed and are tried again by the same command.")
    text = " ".join(lines)
    head = "".join(f'<th class="n">{escape(str(status))}</th>' for status in Status)
    rows = "".join(
        f"<tr><td>{escape(line.output)}</td><td>{line.level}</td>{_n(line.units)}"
        + "".join(_n(line.by[status]) for status in Status)
        + "</tr>"
        for line in counts(records)
    )
    return (
        f"<h2>What came of it</h2>\n<p>{text} At every level, <em>in</em> is the sum of what "
        "follows it; a patient, study or series counts as written if any of it was.</p>\n"
        f'<table><tr><th>output</th><th>level</th><th class="n">in</th>{head}</tr>{rows}</table>'
    )


def _n(count: int) -> str:
    return f'<td class="n">{count:,}</td>'


def _asked(about: About) -> str:
    lines = "".join(f"<li>{escape(line)}</li>" for line in about.asked) or "<li>everything</li>"
    outputs = "".join(f"<li>{escape(_output(one))}</li>" for one in about.outputs)
    return (
        f"<h2>What was asked</h2>\n<p>These series were chosen:</p><ol>{lines}</ol>\n"
        f"<p>They were to be written as:</p><ul>{outputs}</ul>"
    )


_KINDS = {
    "dicom": "DICOM objects",
    "nifti": "volumes as NIfTI files",
    "png": "pictures as PNG files",
    "tables": "tables as Parquet files, with a data dictionary",
}


def _output(one: dict[str, object]) -> str:
    name = str(one["name"])
    options = ", ".join(f"{word} = {value}" for word, value in one.items() if word != "name")
    said = _KINDS.get(name, name)
    return f"{said} (settings of {name}: {options})" if options else said


def _small(about: About) -> str:
    """Values of joined columns that few patients have: who knows one of them finds the patient."""
    if not about.small:
        return ""
    lines = "".join(f"<li>{escape(line)}</li>" for line in about.small)
    return (
        "<h2>Values that few patients have</h2>\n<p>In columns that were joined, and in all of "
        f"these together:</p><ul>{lines}</ul>"
    )


def _flow(about: About) -> str:
    return f"<h2>Who was left out, and why</h2>\n{about.flow_svg}" if about.flow_svg else ""


def _ended(records: Sequence[Record]) -> str:
    rows = "".join(
        f"<tr><td>{escape(line.output)}</td><td>{escape(str(line.status))}</td>"
        f"<td>{_why(line.reason)}</td>{_n(line.series)}{_n(line.instances)}</tr>"
        for line in reasons(records)
        if line.reason is not None
    )
    if not records:
        return "<h2>Not written, or by a policy, and why</h2>\n<p>There was nothing to write.</p>"
    if not rows:
        return "<h2>Not written, or by a policy, and why</h2>\n<p>Everything was written.</p>"
    return (
        "<h2>Not written, or by a policy, and why</h2>\n"
        "<table><tr><th>output</th><th>status</th><th>reason</th>"
        f'<th class="n">series</th><th class="n">objects</th></tr>{rows}</table>'
    )


def _why(reason: object) -> str:
    words = getattr(reason, "words", "")
    return f"<code>{escape(str(reason))}</code><br>{escape(words)}"


def _search(records: Sequence[Record]) -> str:
    told = [record.searched for record in records if record.searched is not None]
    names = {record.names.patient for record in records if record.searched and record.names}
    return (
        "<h2>What was searched</h2>\n<p>Before a series was published, everything that was "
        "written of it was searched for its own patient's names, identifiers, dates, addresses, "
        "physicians, devices, UIDs and file paths, in their usual spellings: file names, every "
        "header field, every PNG chunk, sidecars and table cells.</p>\n"
        f"<table><tr><th>patients</th>{_n(len(names))}</tr>"
        f"<tr><th>series</th>{_n(len(told))}</tr>"
        f"<tr><th>spellings searched for</th>{_n(sum(one.patterns for one in told))}</tr>"
        f"<tr><th>spellings left out</th>{_n(sum(one.kept for one in told))}</tr>"
        f"<tr><th>files</th>{_n(sum(one.files for one in told))}</tr>"
        f"<tr><th>bytes of names, headers and cells</th>{_n(sum(one.bytes for one in told))}</tr>"
        "</table>\n<p>Spellings were left out where the recipe keeps that very value, where they "
        "are an ordinary word of the trade, or a single character; the vault lists them by kind. "
        "The run began by finding a made-up patient that it had planted in every kind of "
        "place.</p>"
    )


def _pixels(records: Sequence[Record]) -> str:
    done = total(records)
    if not any(series for series, _ in done.values()):
        return ""
    words = {
        PixelWork.BLANKED: "parts were blanked: there every pixel of every frame is black",
        PixelWork.VERIFIED: "left as they were, since the recipe says that someone has seen that "
        "such devices draw no name",
        PixelWork.DEFACED: "defaced: in every frame what may show a face is one value, that of air",
    }
    rows = "".join(
        f"<tr><td>{words[work]}</td>{_n(series)}{_n(objects)}</tr>"
        for work, (series, objects) in done.items()
    )
    codes = {code for one in records if one.statement for code, _ in one.statement.codes}
    claimed = (
        " The output claims clean pixel data (113101), and each of these objects that no name is "
        "burned in."
        if CODES[Option.CLEAN_PIXEL_DATA][0] in codes
        else " The output does not claim clean pixel data (113101)."
    )
    return (
        "<h2>What was done to pixels</h2>\n<p>By the recipe's rules for known devices and for "
        f"heads; outside of what was blanked no pixel was changed.{claimed}{_faces(done)}</p>\n"
        '<table><tr><th>pixels</th><th class="n">series</th><th class="n">objects</th></tr>'
        f"{rows}</table>"
    )


def _faces(done: Mapping[PixelWork, tuple[int, int]]) -> str:
    series, objects = done[PixelWork.DEFACED]
    if not series:
        return ""
    return (
        f" Of {series:,} series ({objects:,} objects) the output claims clean recognizable visual "
        "features (113102), and of no other."
    )


_NO_FACES = "No face was removed or altered."

_NO_GUARANTEE = """
Defacing is no guarantee. Heads were found by their outline alone, and nobody looked at them. What
lies behind the skin of the face stays as far as it is in the block (sinuses, the backs of the
eyes, ear canals, the skull), so do the back of the head, its top and its shape, which whoever has
other images of the person may know. A head that moved further than the depth during a scan,
and an outline that a wrong header turned upside down, may leave more.
"""

_NO_GUARANTEE_OF_OTHERS = """
Defacing is no guarantee. What shows a face was named by a method of the recipe's own, and nobody
looked at what it left.
"""

_ALWAYS_NOT = """
Nobody and nothing looked at the pixels. What may hold drawn-in names was refused by what its
header says, or let through where the recipe accepts that risk by name or has a rule for the
device. A name that is drawn where no rule expects one was not found.

Voxels and pixels were not searched as bytes; their digests are in <code>files.parquet</code>.

Free text was removed or kept as the recipe says; it was not read or cleaned.

Private elements of the source gave their names, UIDs and dates to the search, not their free text.

Small groups were not suppressed: a rare combination of age, sex and place may single someone out.

The data are pseudonymous, not anonymous: who holds the key and the archive can find the patients
again.
"""


def _not_done(records: Sequence[Record], about: About) -> str:
    lines = _ALWAYS_NOT.strip().split("\n\n")
    if total(records)[PixelWork.DEFACED][0]:
        ships = about.defacing.startswith(f"the method {BLOCK},")
        limits = _NO_GUARANTEE if ships else _NO_GUARANTEE_OF_OTHERS
        lines.append(f"{limits.strip()} Done by {escape(about.defacing)}")
    else:
        lines.append(_NO_FACES)
    lines += [f"The recipe accepts {escape(line)}" for line in about.accepted]
    claims = {rec.statement for rec in records if rec.statement is not None}
    if any(claim.identity_removed != "YES" for claim in claims):
        lines.append("The recipe keeps a direct identifier, and the output says so.")
    temporal = {claim.temporal for claim in claims}
    if "UNMODIFIED" in temporal:
        lines.append("Dates were kept as they are.")
    if "MODIFIED" in temporal:
        lines.append("Dates were moved by whole days, not removed: intervals are true.")
    items = "".join(f"<li>{line}</li>" for line in lines)
    return f'<h2>What was not done</h2>\n<ul class="not">{items}</ul>'


def _recipe(about: About) -> str:
    description = f"<p>{escape(about.description)}</p>" if about.description else ""
    return (
        f"<h2>The recipe</h2>\n{description}<p>Digest <code>{escape(about.digest)}</code>. "
        "Another digest is another recipe.</p>\n"
        f"<pre>{escape(about.explained)}</pre>"
    )
