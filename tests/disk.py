"""A disk that writes late: what it was told, in order, and what a power cut may leave of it.

``recorded`` watches this process: an audit hook hears of every name that is made, moved or removed
below a folder, and ``os.fsync`` is wrapped. What was synced is on the disk; of the rest anything
may be there. A file without a sync is whole, torn, empty, or zeros; a name without a sync of its
folder is there or not, whatever became of the names beside it. Only a rename is never neither:
where the old name is gone, the new one is there. That is harsher than any file system in use.
"""

from __future__ import annotations

import os
import random
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
Left = dict[str, bytes | None]
"""By path relative to the disk: what is in a file; None for a folder."""


class Rest(Enum):
    """What becomes of bytes that were not synced."""

    LOST = auto()
    TORN = auto()
    ZEROS = auto()
    WHOLE = auto()
    ANY = auto()


@dataclass(frozen=True)
class Named:
    """A name in a folder is a file's (or a folder's) from here on."""

    folder: int
    name: str
    node: int


@dataclass(frozen=True)
class Unnamed:
    """A name is gone; ``tie`` is the step that gave it to another name, in a rename."""

    folder: int
    name: str
    tie: int | None = None


@dataclass(frozen=True)
class Held:
    """What a file held at this moment, and whether it was synced."""

    node: int
    data: bytes
    synced: bool


@dataclass(frozen=True)
class Flushed:
    """The names in a folder were synced."""

    folder: int


Step = Named | Unnamed | Held | Flushed


@dataclass
class Disk:
    """Steps on a folder, which itself is number 0 and always there.

    Attributes:
        root: the folder.
        folders: the numbers of folders.
        first: what names there were, and ``begun`` what files held.
        live: path → number, now.
        held: for each file when its content was noted; once all has ended.
    """

    root: str
    folders: set[int] = field(default_factory=lambda: {0})
    steps: list[Step] = field(default_factory=list)
    first: dict[int, dict[str, int]] = field(default_factory=dict)
    begun: dict[int, bytes] = field(default_factory=dict)
    live: dict[str, int] = field(default_factory=dict)
    held: dict[int, list[tuple[int, Held]]] = field(default_factory=dict)

    @classmethod
    def of(cls, root: Path) -> Disk:
        """With what lies there already, which is synced."""
        disk = cls(os.path.realpath(root))
        disk.live[disk.root] = 0
        for base, folders, files in os.walk(disk.root):
            above = disk.live[base]
            for name in [*folders, *files]:
                path = f"{base}/{name}"
                node = disk.live[path] = len(disk.live)
                disk.first.setdefault(above, {})[name] = node
                if name in folders:
                    disk.folders.add(node)
                else:
                    disk.begun[node] = Path(path).read_bytes()
        disk._next = len(disk.live)
        return disk

    _next: int = 1

    # --- what happens -----------------------------------------------------------------------

    def made(self, path: str, *, folder: bool) -> None:
        """A file or folder is about to be made."""
        if path not in self.live and self._mine(path):
            node, self._next = self._next, self._next + 1
            self.live[path] = node
            if folder:
                self.folders.add(node)
            self.steps.append(Named(*self._name(path), node))

    def removed(self, path: str) -> None:
        """A file or an empty folder is about to go."""
        node = self.live.get(path)
        below = any(other.startswith(f"{path}/") for other in self.live)
        if node is not None and not below:
            self.seen(path)
            del self.live[path]
            self.steps.append(Unnamed(*self._name(path)))

    def renamed(self, old: str, new: str) -> None:
        """A file is about to have another name."""
        if old not in self.live:
            return
        node = self.live[old]
        assert node not in self.folders
        for path in (old, new):
            self.seen(path)
        self.live[new] = self.live.pop(old)
        self.steps.append(Named(*self._name(new), node))
        self.steps.append(Unnamed(*self._name(old), tie=len(self.steps) - 1))

    def seen(self, path: str, *, synced: bool = False) -> None:
        """What a file holds now is noted."""
        node = self.live.get(path)
        if node is not None and node not in self.folders:
            self.steps.append(Held(node, Path(path).read_bytes(), synced))

    def synced(self, path: str) -> None:
        """A file or folder was synced."""
        if self.live.get(path) in self.folders:
            self.steps.append(Flushed(self.live[path]))
        else:
            self.seen(path, synced=True)

    def ended(self) -> None:
        """What all files hold in the end is noted."""
        for path in list(self.live):
            self.seen(path)
        for number, step in enumerate(self.steps):
            if isinstance(step, Held):
                self.held.setdefault(step.node, []).append((number, step))

    def _mine(self, path: str) -> bool:
        return path.startswith(f"{self.root}/")

    def _name(self, path: str) -> tuple[int, str]:
        above, _, name = path.rpartition("/")
        return self.live[above], name

    # --- what is left -----------------------------------------------------------------------

    def left(self, cut: int, keep: float, rest: Rest, chance: random.Random) -> Left:
        """What is there after the power was cut before this step.

        Args:
            cut: number of a step.
            keep: with what chance a name that was not synced is there (or gone) all the same.
            rest: what becomes of bytes that were not synced.
            chance: draws.
        """
        names = self._names(cut, keep, chance)
        found: Left = {}
        inside = [(0, "")]
        while inside:
            folder, path = inside.pop()
            for name, node in names.get(folder, {}).items():
                if node in self.folders:
                    found[f"{path}{name}"] = None
                    inside.append((node, f"{path}{name}/"))
                else:
                    found[f"{path}{name}"] = self._bytes(node, cut, rest, chance)
        return found

    def _names(self, cut: int, keep: float, chance: random.Random) -> dict[int, dict[str, int]]:
        last: dict[int, int] = {}
        for number, step in enumerate(self.steps[:cut]):
            if isinstance(step, Flushed):
                last[step.folder] = number
        there = {
            number
            for number, step in enumerate(self.steps[:cut])
            if isinstance(step, Named | Unnamed)
            and (number < last.get(step.folder, -1) or chance.random() < keep)
        }
        names = {folder: dict(inside) for folder, inside in self.first.items()}
        for number, step in enumerate(self.steps[:cut]):
            if isinstance(step, Unnamed) and step.tie is not None and number in there:
                there.add(step.tie)
        for number, step in enumerate(self.steps[:cut]):
            if isinstance(step, Named) and number in there:
                names.setdefault(step.folder, {})[step.name] = step.node
            elif isinstance(step, Unnamed) and self._gone(number, step, there):
                names.get(step.folder, {}).pop(step.name, None)
        return names

    def _gone(self, number: int, step: Unnamed, there: set[int]) -> bool:
        """Within one folder a rename is one thing; between two the old name may stay beside."""
        if step.tie is None:
            return number in there
        new = self.steps[step.tie]
        assert isinstance(new, Named)
        return step.tie in there and (new.folder == step.folder or number in there)

    def _bytes(self, node: int, cut: int, rest: Rest, chance: random.Random) -> bytes:
        safe, later = self.begun.get(node, b""), None
        for number, step in self.held.get(node, ()):
            if step.synced and number < cut:
                safe, later = step.data, None
            elif number >= cut and later is not None:
                break
            else:
                later = step.data
        if later is None or later == safe:
            return safe
        if rest is Rest.ANY:
            rest = chance.choice([Rest.LOST, Rest.TORN, Rest.ZEROS, Rest.WHOLE])
        behind = later.startswith(safe)  # it was added to; else written anew
        return _torn(safe if behind else b"", later, rest, chance)


def _torn(start: bytes, later: bytes, rest: Rest, chance: random.Random) -> bytes:
    more = later[len(start) :]
    match rest:
        case Rest.LOST:
            return start
        case Rest.TORN:
            return start + more[: chance.randrange(len(more) + 1)]
        case Rest.ZEROS:
            return start + bytes(len(more))
        case _:
            return later


def recorded(root: Path, what: Callable[[], object]) -> Disk:
    """Do it, and give the steps that it took below ``root``. For a process of its own."""
    disk, busy = Disk.of(root), False
    fsync = os.fsync

    def hook(event: str, given: tuple[object, ...]) -> None:
        nonlocal busy
        if busy or event not in _EVENTS:
            return
        busy = True
        try:
            _EVENTS[event](disk, given)
        finally:
            busy = False

    def synced(handle: int) -> None:
        nonlocal busy
        fsync(handle)
        busy = True
        try:
            disk.synced(_of(handle))
        finally:
            busy = False

    sys.addaudithook(hook)
    os.fsync = synced  # type: ignore[assignment]
    what()
    os.fsync = fsync
    busy = True
    disk.ended()
    return disk


def _of(handle: int) -> str:
    return os.fspath(Path(f"/proc/self/fd/{handle}").readlink())


def _path(given: object, handle: object = -1) -> str:
    """A path as it is from the top, without links above its last name."""
    if isinstance(given, int):
        return ""
    path = Path(os.fsdecode(given))  # type: ignore[arg-type]  # a path or bytes
    folder = Path(_of(handle)) if isinstance(handle, int) and handle >= 0 else Path.cwd()
    return os.fspath((folder / path.parent).resolve() / path.name)


def _opened(disk: Disk, given: tuple[object, ...]) -> None:
    flags = given[2] if isinstance(given[2], int) else 0
    if flags & WRITES and (path := _path(given[0])):
        if os.path.lexists(path):
            disk.seen(path)
        elif flags & os.O_CREAT:
            disk.made(path, folder=False)


def _made(disk: Disk, given: tuple[object, ...]) -> None:
    path = _path(given[0], given[2])
    if not os.path.lexists(path) and Path(path).parent.is_dir():
        disk.made(path, folder=True)


_EVENTS: dict[str, Callable[[Disk, tuple[object, ...]], None]] = {
    "open": _opened,
    "os.mkdir": _made,
    "os.remove": lambda disk, given: disk.removed(_path(given[0], given[1])),
    "os.rmdir": lambda disk, given: disk.removed(_path(given[0], given[1])),
    "os.rename": lambda disk, given: disk.renamed(
        _path(given[0], given[2]), _path(given[1], given[3])
    ),
}


def lay(found: Left, root: Path) -> None:
    """Make a folder hold what was left, and nothing else."""
    for path, data in sorted(found.items()):
        if data is None:
            (root / path).mkdir(mode=stat.S_IRWXU)
        else:
            (root / path).write_bytes(data)
