"""Running tasks on a Dask cluster: SLURM, PBS, LSF, Kubernetes, or machines one by one.

The scheduler hears numbers and digests, and answers that name nobody; work and tasks lie in the
vault, which every worker has to see. On each worker a task runs in a process of its own, with the
same limits as on one machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cohortkit.deidentify.idtable import IdTable
from cohortkit.errors import MissingDependency, UsageError
from cohortkit.model import Record, Task
from cohortkit.reasons import Reason
from cohortkit.run.child import Alone, dismiss, perform
from cohortkit.run.engines import Result, Work, packed
from cohortkit.run.posted import Posted, busy, loads
from cohortkit.run.settings import made_with

if TYPE_CHECKING:
    from distributed import Client, Future

_SECONDS = 15.0
_AHEAD = 2  # tasks for each thread: one at work, one that waits


@dataclass(frozen=True, slots=True)
class Dask:
    """A cluster (`cohortkit.protocols.Engine`).

    Attributes:
        address: of its scheduler, such as ``tcp://host:8786``.
        vault: the output's vault, as every machine sees it.
        seconds: how long a task may take; None is for ever.
        memory: bytes that a task's process may have; 0 is no limit of ours.
    """

    address: str
    vault: Path
    seconds: float | None = None
    memory: int = 0

    def run(self, work: Work, tasks: Iterable[Task]) -> Iterator[Result]:
        """Do the work of every task; each is yielded once, in any order.

        Raises:
            MissingDependency: Dask is not installed.
            UsageError: the scheduler does not answer, it has no workers, or a worker has other
                versions, or does not see the output place.
        """
        waiting = iter(tasks)
        first = next(waiting, None)
        if first is None:
            return
        client = _connect(self.address)
        posted = Posted.post(self.vault, packed(Alone(work, busy(self.vault))))
        try:
            threads = _look(client, posted)
            _share_ids(client, posted, getattr(work, "ids", None))
            yield from self._run(client, posted, first, waiting, threads)
        finally:
            posted.remove()
            client.run(dismiss)
            client.close()

    def _run(
        self,
        client: Client,
        posted: Posted,
        first: Task,
        waiting: Iterator[Task],
        threads: int,
    ) -> Iterator[Result]:
        from distributed import as_completed  # noqa: PLC0415 - an extra

        numbers: dict[str, int] = {}

        def submit(task: Task) -> Future:
            digest = posted.put(task)
            future = client.submit(
                perform, posted, task.number, digest, self.seconds, self.memory, pure=False
            )
            numbers[future.key] = task.number
            return future

        going = as_completed([submit(first)], loop=client.loop)
        for task in _some(waiting, threads * _AHEAD - 1):
            going.add(submit(task))
        for future in going:
            number = numbers.pop(future.key)
            yield number, _result(future)
            posted.done(number)
            for task in _some(waiting, 1):
                going.add(submit(task))


def _result(future: Future) -> Record | Reason:
    """What a task came to. Dask tries a task again that lost its worker, and gives up in the end.

    Raises:
        UsageError: a worker that came later cannot do this work.
    """
    try:
        result = future.result()
    except UsageError as error:
        raise UsageError(f"a worker of the cluster cannot do this: {error}") from None
    except Exception:  # noqa: BLE001 - a lost worker, by any of the names that Dask has for it
        return Reason.WORKER_DIED
    assert isinstance(result, Record | Reason)
    return result


def demand_answer(address: str) -> None:
    """Refuse an address at which nobody works.

    Raises:
        MissingDependency: Dask is not installed.
        UsageError: no scheduler answers, or it has no workers.
    """
    _connect(address).close()


def _connect(address: str) -> Client:
    try:
        from distributed import Client  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingDependency(
            "a cluster needs Dask: pip install 'cohortkit[dask]', on its workers too"
        ) from None
    try:
        client = Client(address, timeout=_SECONDS, set_as_default=False)
    except (OSError, ValueError):
        raise UsageError(f"engine {address}: no Dask scheduler answers there") from None
    try:
        client.wait_for_workers(1, timeout=_SECONDS)
    except TimeoutError:
        client.close()
        raise UsageError(f"engine {address}: the scheduler has no workers") from None
    return client


def _look(client: Client, posted: Posted) -> int:
    """Hold every worker to this process's versions and to the output place; count threads."""
    wanted = made_with()
    for told in client.run(inspect, posted, wanted).values():
        if told:
            raise UsageError(f"a worker of the cluster cannot do this: {told}")
    return max(1, sum(map(int, client.nthreads().values())))


def _share_ids(client: Client, posted: Posted, ids: IdTable | None) -> None:
    """Hold the table of random ids here, and let every worker feel that it is held.

    Raises:
        UsageError: a lock on the table does not hold between the machines.
    """
    if ids is None:
        return
    with ids.held():
        felt = client.run(is_held, posted)
    if not all(felt.values()):
        raise UsageError(
            "a worker of the cluster does not feel the locks on the table of ids, so two people "
            "could get one name; keep the table on a file system that has locks between machines"
        )


def is_held(posted: Posted) -> bool:
    """On a worker: whether the work's table of ids is held by somebody else."""
    ids = loads(posted.work()).work.ids  # type: ignore[attr-defined]  # of an `Alone`
    return bool(ids.is_held())


def inspect(posted: Posted, wanted: dict[str, str]) -> str:
    """On a worker: what is in the way; empty if nothing is."""
    here = made_with()
    other = sorted(name for name in wanted if here.get(name) != wanted[name])
    if other:
        return f"it has another version of {', '.join(other)}, which would make other bytes"
    try:
        loads(posted.work())
    except UsageError as error:
        return str(error)
    return ""


def _some(waiting: Iterator[Task], count: int) -> Iterator[Task]:
    for _ in range(count):
        task = next(waiting, None)
        if task is None:
            return
        yield task
