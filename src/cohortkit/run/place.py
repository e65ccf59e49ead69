"""The output folder: what is where, who may use it, and how a file gets there for good."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cohortkit.errors import OutputError, unwritten
from cohortkit.places import inside_export, inside_release

MANIFEST = "export.json"
"""Written last and removed first: where it is in a release, so is all that it tells of."""

FINISHED = (
    "tasks.parquet",
    "files.parquet",
    MANIFEST,
    "report.html",
    "tables",
    "dicom/DICOMDIR",
)
"""What ``finish`` writes: files of the release, and folders with all that is in them."""


def finished(name: str) -> bool:
    """Whether ``finish`` writes a file of this name, relative to the release."""
    return any(name == one or name.startswith(f"{one}/") for one in FINISHED)


_PREFIX = 2  # letters of a task's name, of 32: a thousand folders
_OURS = frozenset({"release", "quarantine", "vault"})
_LITTER = re.compile(r"\.DS_Store|\._.*|\.nfs.*|Thumbs\.db|desktop\.ini|\.directory|lost\+found")
"""What systems and file managers leave in any folder that somebody looks at."""


@dataclass(frozen=True, slots=True)
class Place:
    """One output folder (see the design's "An export on disk")."""

    root: Path

    @property
    def release(self) -> Path:
        """What may leave."""
        return self.root / "release"

    @property
    def quarantine(self) -> Path:
        """What did not pass the search."""
        return self.root / "quarantine"

    @property
    def vault(self) -> Path:
        """The identified side."""
        return self.root / "vault"

    @property
    def records(self) -> Path:
        """One file a task."""
        return self.vault / "records"

    @property
    def tracebacks(self) -> Path:
        """Of faults in cohortkit; identified."""
        return self.vault / "tracebacks"

    @property
    def residuals(self) -> Path:
        """What was not searched for, and hits: kinds and places, no values."""
        return self.vault / "residuals"

    @property
    def redactions(self) -> Path:
        """What was blanked in the pixels of each task: boxes, no values."""
        return self.vault / "redactions"

    @property
    def texts(self) -> Path:
        """Every text of each task that was cleaned or withheld; identified."""
        return self.vault / "texts"

    @property
    def named(self) -> Path:
        """In which of the user's words a task found its patient: places, no values."""
        return self.vault / "named"

    @property
    def fetched(self) -> Path:
        """What is brought here from a server, by task and as long as it is at work; identified."""
        return self.vault / "fetched"

    @property
    def people(self) -> Path:
        """Who was merged with whom; identified."""
        return self.vault / "people.json"

    @property
    def audit(self) -> Path:
        """Who looked behind the pseudonyms, when and why."""
        return self.vault / "audit.jsonl"

    @property
    def settings(self) -> Path:
        """Which export this is."""
        return self.vault / "export.json"

    def ledger_of(self, shard: str) -> Path:
        """Times, hosts and attempts; a shard's by its name, or "" for a run of the whole."""
        return self.vault / (f"ledger-{shard}.jsonl" if shard else "ledger.jsonl")

    @property
    def log(self) -> Path:
        """What libraries printed in the workers; identified."""
        return self.vault / "workers.log"

    def record(self, task: str) -> Path:
        """The record of a task."""
        return _in_folder(self.records, task)

    def residual(self, task: str) -> Path:
        """What a task was not searched for, and its hits."""
        return _in_folder(self.residuals, task)

    def redaction(self, task: str) -> Path:
        """What was blanked in the pixels of a task."""
        return _in_folder(self.redactions, task)

    def text(self, task: str) -> Path:
        """The texts of a task that were cleaned or withheld; identified."""
        return _in_folder(self.texts, task)

    def prepare(self) -> None:
        """Make the folders, durable; the identified ones for their owner alone.

        Raises:
            OutputError: they cannot be made or written.
        """
        try:
            _make_root(self.root)
            # the vault first: by it a run that is killed here knows the folder for its own
            for folder in (self.vault, self.quarantine):
                folder.mkdir(mode=0o700, exist_ok=True)
                folder.chmod(0o700)
                sync_folder(self.root)
            self.release.mkdir(exist_ok=True)
            sync_folder(self.root)
            reports = (self.residuals, self.redactions, self.texts)
            for folder in (self.records, self.tracebacks, *reports):
                folder.mkdir(mode=0o700, exist_ok=True)
            sync_folder(self.vault)
        except OSError as error:
            raise unwritten(OutputError, f"output {self.root}: {cause(error)}", error) from None


def _make_root(root: Path) -> None:
    """Make the output's folder and those above it, durable as far as they may be read."""
    new = [folder for folder in (root, *root.parents) if not folder.exists()]
    for folder in reversed(new):
        folder.mkdir(exist_ok=True)
    for folder in {root.parent, *(one.parent for one in new)}:
        with suppress(PermissionError):  # a folder that may be written and not read
            sync_folder(folder)


def _in_folder(base: Path, task: str) -> Path:
    """A file of a task: of a thousand folders, since one of a million names is slow to list."""
    return base / task[:_PREFIX] / f"{task}.json"


def into_folders(place: Place) -> None:
    """Move what an earlier version left beside each other to where it is looked for.

    Each by one rename, so that a kill between two leaves nothing that is not found again.
    """
    for base in (place.records, place.residuals, place.redactions, place.texts):
        flat = [entry.name for entry in os.scandir(base) if entry.is_file(follow_symlinks=False)]
        moved = [Path(name) for name in flat if name.endswith(".json") and name[0] != "."]
        for name in moved:
            target = _in_folder(base, name.stem)
            target.parent.mkdir(mode=0o700, exist_ok=True)
            (base / name).replace(target)
        for folder in {_in_folder(base, name.stem).parent for name in moved}:
            sync_folder(folder)
        if moved:
            sync_folder(base)


def cause(error: OSError) -> str:
    """Why the operating system said no, without the path that it names."""
    known = {
        errno.EACCES: "permission denied",
        errno.EPERM: "permission denied",
        errno.EROFS: "the file system is read only",
        errno.ENOSPC: "no space left",
        errno.EDQUOT: "no space left in the quota",
        errno.EFBIG: "a file would be larger than is allowed here",
        errno.ENOTDIR: "a part of it is a file, not a folder",
        errno.EEXIST: "it is a file, not a folder",
        errno.ENAMETOOLONG: "the name is too long",
    }
    return known.get(error.errno or 0, "cannot be used")


def check(out: str | Path, archive: Iterable[str | Path]) -> Place:
    """An output place that is apart from the archive. Nothing is written.

    Args:
        out: the folder of the export; it need not be there.
        archive: folders that hold source files or an index store.

    Raises:
        OutputError: inside the archive or around it, not a folder, holding something else, read
            only.
    """
    given = Path(out).expanduser()
    if "\0" in str(given):
        raise OutputError("output: a name with a NUL in it, which no folder can have")
    root = Path(os.path.realpath(given))
    for folder in {os.path.realpath(folder) for folder in archive}:
        if root.is_relative_to(folder):
            raise OutputError(
                f"output {out}: it is inside the archive or its index; choose a place outside"
            )
        if Path(folder).is_relative_to(root):
            raise OutputError(f"output {out}: the archive is inside it; choose a place outside")
    if inside_release(root):
        raise OutputError(f"output {out}: it is inside the release of an export; choose another")
    if inside_export(root):
        raise OutputError(f"output {out}: it is inside another export; choose a place beside it")
    place = Place(root)
    _check_folder(place, str(out))
    return place


def _check_folder(place: Place, said: str) -> None:
    root = place.root
    if not os.path.lexists(root):
        above = next(parent for parent in root.parents if os.path.exists(parent))  # noqa: PTH110 - a folder that nobody may enter is one more answer here, not an error
        if not above.is_dir():
            raise OutputError(f"output {said}: a part of it is a file, not a folder")
        if not os.access(above, os.W_OK | os.X_OK):
            raise OutputError(f"output {said}: permission denied")
        return
    if not root.is_dir():
        raise OutputError(f"output {said}: it is a file, not a folder")
    try:
        names = {entry.name for entry in os.scandir(root)}
    except OSError as error:
        raise OutputError(f"output {said}: {cause(error)}") from None
    others = {name for name in names - _OURS if not _LITTER.fullmatch(name)}
    if others and place.settings.is_file():
        raise OutputError(
            f"output {said}: beside the folders of this export lies something else "
            f"({len(others)}); move it away, then the same command goes on"
        )
    if others or (names & _OURS and "vault" not in names):
        raise OutputError(f"output {said}: the folder holds something else; choose an empty one")
    if any((root / name).is_symlink() for name in names & _OURS):
        raise OutputError(f"output {said}: a link where a folder of the export should be")
    if not os.access(root, os.W_OK | os.X_OK):
        raise OutputError(f"output {said}: permission denied")


def publish(path: Path, data: bytes, *, mode: int = 0o600, staging: Path | None = None) -> None:
    """Put a whole file in its place by one atomic rename, and make both durable.

    Args:
        path: its name from then on.
        data: its bytes.
        mode: its permissions.
        staging: a folder on the same file system for the file before it is whole; default: its
            own.
    """
    if not path.parent.is_dir():  # in the vault: a folder of tasks' files
        path.parent.mkdir(mode=0o700, exist_ok=True)
        sync_folder(path.parent.parent)
    temporary = (staging or path.parent) / f".{path.name}.{os.getpid()}.part"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_files(root: Path, names: Iterable[str]) -> None:
    """Make files, their folders and all folders up to ``root`` durable."""
    folders: set[Path] = set()
    for name in names:
        path = root / name
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        folders |= {parent for parent in path.parents if parent.is_relative_to(root)}
    for folder in sorted(folders, reverse=True):
        sync_folder(folder)


def files_under(folder: Path) -> Iterator[str]:
    """Every file and link below a folder, as relative names with forward slashes; sorted."""
    for base, folders, files in os.walk(folder):
        folders.sort()
        links = [name for name in folders if (Path(base) / name).is_symlink()]
        for name in sorted([*files, *links]):
            yield (Path(base) / name).relative_to(folder).as_posix()


def sweep(folder: Path, wanted: frozenset[str]) -> int:
    """Remove every file that is not wanted, and every folder that is then empty, for good.

    Returns:
        How many files were removed.
    """
    removed = [name for name in files_under(folder) if name not in wanted]
    for name in removed:
        (folder / name).unlink()
    changed = {(folder / name).parent for name in removed}
    for base, _, _ in os.walk(folder, topdown=False):
        path = Path(base)
        if path != folder and not any(os.scandir(base)):
            path.rmdir()
            changed.discard(path)
            changed.add(path.parent)
    for path in sorted(changed):
        sync_folder(path)
    return len(removed)


def sweep_parts(place: Place) -> None:
    """Remove from the vault what killed processes had not finished writing."""
    for path in place.vault.rglob(".*.part"):
        path.unlink()


def sweep_stems(root: Path, folders: Iterable[str], stem: str) -> None:
    """Remove for good what an attempt on one series may have left: all that begins so."""
    for folder in folders:
        base = root / folder
        there = sorted(base.glob(f"{stem}*")) if base.is_dir() else []
        for found in there:
            if found.is_dir() and not found.is_symlink():
                shutil.rmtree(found)
            else:
                found.unlink()
        if there:
            sync_folder(base)


def move(name: str, source: Path, target: Path) -> None:
    """Move a file out of the release, below ``target``, for its owner alone and for good."""
    to = target / name
    below = [target / folder for folder in reversed(Path(name).parents)]
    for folder in below:  # one by one: parents=True would give them the umask's mode
        folder.mkdir(mode=0o700, exist_ok=True)
    shutil.move(source / name, to)
    to.chmod(0o600)
    sync_folder(to.parent)
    sync_folder((source / name).parent)
