"""The tools that are judged: each in an environment of its own, which is made here, and a process.

What cannot be installed is said so, and the rest goes on.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

INDEX = "idc-index-data==25.0.5"
ADAPTERS = Path(__file__).parent / "adapters"
OURS = "cohortkit"
OURS_CLEANED = "cohortkit, text cleaned"
_LINES_OF_ERROR = 1


@dataclass(frozen=True, slots=True)
class Peer:
    """One tool.

    Attributes:
        name: as in the table, with its version.
        adapter: file in ``adapters/``; it holds how the tool is used.
        needs: what pip installs; nothing: this very environment.
        python: oldest Python that it runs with.
        timed: another adapter, for the clock alone.
        once: it takes so long that one round is enough.
    """

    name: str
    adapter: str
    needs: tuple[str, ...] = ()
    python: tuple[int, int] = (3, 11)
    timed: str = ""
    once: bool = False

    @property
    def ours(self) -> bool:
        """Whether this is cohortkit, for which the goals hold."""
        return self.name in {OURS, OURS_CLEANED}


PEERS = (
    Peer("pydicom read + write only", "null_pydicom"),
    Peer(OURS, "cohortkit_export", timed="cohortkit_step"),
    Peer(OURS_CLEANED, "cohortkit_descriptors", timed="cohortkit_step_text"),
    Peer("isocenter 1.0.0", "isocenter_default", ("isocenter==1.0.0",), (3, 12), once=True),
    Peer(
        "grand-challenge 0.1.1",
        "grand_challenge",
        (
            "grand-challenge-dicom-de-identifier==0.1.1",
            "grand-challenge-dicom-de-id-procedure==2025.10.1",
        ),
    ),
    Peer("dicognito 0.19.0", "dicognito_default", ("dicognito==0.19.0",)),
    Peer("dcmanon 0.3.1", "dcmanon_default", ("dcmanon==0.3.1",)),
    Peer("deid 0.4.13 + remove_private", "deid_private", ("deid==0.4.13",)),
    Peer("dicom-anonymizer 2.1.0", "dicom_anonymizer", ("dicom-anonymizer==2.1.0",)),
)


@dataclass
class Run:
    """What an adapter said.

    Attributes:
        refused: name of each file that did not come out, and why.
        broken: why there is nothing at all; empty if there is.
    """

    refused: dict[str, str] = field(default_factory=dict)
    files: int = 0
    cpu_s: float = 0.0
    wall_s: float = 0.0
    broken: str = ""

    @property
    def cpu_ms(self) -> float:
        """Milliseconds of CPU for each file."""
        return 1000 * self.cpu_s / self.files if self.files else float("nan")


DATA = Peer("descriptions of the Imaging Data Commons", "idc_index", (INDEX,))
"""No tool: a table that is installed in the same way."""


def installed(peer: Peer, cache: Path) -> tuple[str, str]:
    """The interpreter to run a tool with, made if needed; else empty and the reason.

    Args:
        peer: which tool.
        cache: folder for environments, kept between runs.
    """
    if not peer.needs:
        return sys.executable, ""
    base = _interpreter(peer.python)
    if not base:
        return "", f"needs Python {'.'.join(map(str, peer.python))} or newer"
    room = cache / peer.adapter
    python, done = room / "bin" / "python", room / "installed.txt"
    wanted = "\n".join(peer.needs)
    if python.exists() and done.exists() and done.read_text() == wanted:
        return str(python), ""
    shutil.rmtree(room, ignore_errors=True)
    for command in (
        [base, "-m", "venv", room],
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *peer.needs],
    ):
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode:
            return "", _last_line(made.stderr)
    done.write_text(wanted)
    return str(python), ""


def _interpreter(oldest: tuple[int, int]) -> str:
    """This interpreter, or another of the machine that is new enough; empty if there is none."""
    if sys.version_info[:2] >= oldest:
        return sys.executable
    names = [f"python3.{minor}" for minor in range(14, oldest[1] - 1, -1)]
    others = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [shutil.which(name) for name in names]
    found += [str(path) for path in sorted(others.glob("3.*/bin/python"), reverse=True)]
    test = f"import sys, venv; sys.exit(sys.version_info[:2] < {oldest!r})"
    for path in filter(None, found):
        if subprocess.run([path, "-c", test], capture_output=True, check=False).returncode == 0:
            return str(path)
    return ""


def run(
    python: str, adapter: str, source: Path, target: Path, *, warm: int = 0, options: str = ""
) -> Run:
    """Run one adapter over a folder; options are those of Annex E, for cohortkit."""
    source, target = source.resolve(), target.resolve()
    command = [python, ADAPTERS / f"{adapter}.py", source, target, "--warm", str(warm)]
    quiet = {
        **os.environ,
        "PYTHONWARNINGS": "ignore",
        "POLARS_MAX_THREADS": "1",
        "LEAK_OPTIONS": options,
    }
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=quiet, cwd=target.parent
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        return Run(broken=_last_line(done.stderr) or "said nothing")
    return Run(**json.loads(lines[-1]))


def timed(
    peers: dict[Peer, str], source: Path, work: Path, rounds: int, warm: int = 5
) -> dict[Peer, float]:
    """Milliseconds of CPU a file, the median of rounds in which the tools take turns."""
    found: dict[Peer, list[float]] = {peer: [] for peer in peers}
    for turn in range(rounds):
        for peer, python in peers.items():
            if turn and peer.once:
                continue
            target = work / "timed"
            done = run(
                python, peer.timed or peer.adapter, source, target, warm=0 if peer.once else warm
            )
            shutil.rmtree(target, ignore_errors=True)
            if not done.broken:
                found[peer].append(done.cpu_ms)
    return {peer: median(values) for peer, values in found.items() if values}


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines or [""])[-1][:160]
