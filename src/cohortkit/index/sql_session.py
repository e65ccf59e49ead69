"""Asking a database through ADBC: one connection a question, read only, with an end to waiting.

No connection is held between questions: a transaction that lies open keeps a hospital's database
from tidying up, and a server that was started again is simply asked again. No message of a driver
goes on, since it may quote a value or the address with its password.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeVar

import polars as pl

from cohortkit.errors import MissingDependency, QueryError, StoreError
from cohortkit.index.sql_place import Place

WAIT: Final = 600.0
"""Seconds after which a server that does not answer is given up."""

_CONNECT: Final = 15
_T = TypeVar("_T")
_GONE: Final = (
    "the database cannot be asked: it is not there, it let nobody in, or it went away; is the "
    "server running, and are user and password set (PGUSER, PGPASSWORD, ~/.pgpass)?"
)
_HEAD: Final = {
    "postgresql": (
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        "SET LOCAL standard_conforming_strings = on",
    ),
    "sqlite": ("PRAGMA query_only = ON",),
    "duckdb": (
        "SET enable_external_access = false",
        "SET autoinstall_known_extensions = false",
        "SET autoload_known_extensions = false",
        "SET lock_configuration = true",
    ),
}


class Session:
    """An open connection in one read-only transaction: what it sees does not change."""

    def __init__(self, cursor: Any) -> None:  # noqa: ANN401 - the driver is imported where it is used
        self._cursor = cursor

    def ask(self, sql: str) -> pl.DataFrame:
        """The answer of one statement."""
        self._cursor.execute(sql)
        frame = self._cursor.fetch_polars()
        assert isinstance(frame, pl.DataFrame)
        return frame


def asked(place: Place, work: Callable[[Session], _T], *, wait: float | None = None) -> _T:
    """Do some work in one read-only transaction.

    Args:
        place: the database.
        work: asks, and makes something of the answers.
        wait: seconds until the server is given up; ``WAIT`` where it is not said.

    Raises:
        StoreError: the database is not there, went away, or does not answer.
        MissingDependency: no driver.
    """

    def run() -> _T:
        with connected(place, read_only=True) as connection:
            cursor = connection.cursor()
            try:
                for statement in _HEAD[place.backend]:
                    cursor.execute(statement)
                return work(Session(cursor))
            finally:
                with suppress(Exception):  # of a connection that is gone there is nothing to close
                    cursor.close()

    return _within(run, WAIT if wait is None else wait)


def answered(place: Place, sql: str) -> pl.DataFrame:
    """The answer of one statement that somebody wrote.

    Raises:
        QueryError: the database does not take it.
    """
    try:
        return asked(place, lambda session: session.ask(sql))
    except StoreError:
        asked(place, lambda session: session.ask("SELECT 1 AS one"))  # so it is the statement
        raise QueryError(
            "sql: the database does not take this statement: is it one SELECT, over tables and "
            "columns that there are?"
        ) from None


@contextmanager
def connected(place: Place, *, read_only: bool) -> Iterator[Any]:
    """A connection, closed at the end. Nothing of the driver's errors is passed on."""
    driver, arguments, entry = _driver(place, read_only=read_only)
    try:
        from adbc_driver_manager import dbapi  # noqa: PLC0415 - an extra

        connection = dbapi.connect(
            driver=driver, entrypoint=entry, db_kwargs=arguments, autocommit=False
        )
    except ImportError:
        raise _missing() from None
    except Exception:  # noqa: BLE001 - whatever a driver raises
        raise StoreError(_GONE) from None
    try:
        yield connection
    except (StoreError, QueryError):
        raise
    except dbapi.Error:
        raise StoreError(_GONE) from None
    finally:
        with suppress(Exception):
            connection.close()


def _driver(place: Place, *, read_only: bool) -> tuple[str, dict[str, str], str | None]:
    try:
        if place.backend == "postgresql":
            import adbc_driver_postgresql  # noqa: PLC0415 - an extra

            join = "&" if "?" in place.target else "?"
            uri = place.target
            if "connect_timeout" not in uri:
                uri = f"{uri}{join}connect_timeout={_CONNECT}"
            return adbc_driver_postgresql._driver_path(), {"uri": uri}, None  # noqa: SLF001 - the way to it
        if read_only and not Path(place.target).is_file():
            raise StoreError("there is no such database file")
        if place.backend == "sqlite":
            import adbc_driver_sqlite  # noqa: PLC0415 - an extra

            uri = Path(place.target).as_uri() + ("?mode=ro" if read_only else "")
            return adbc_driver_sqlite._driver_path(), {"uri": uri}, None  # noqa: SLF001 - the way to it
        import adbc_driver_duckdb  # noqa: PLC0415 - an extra

        mode = {"access_mode": "READ_ONLY"} if read_only else {}
        arguments = {"path": place.target, **mode}
        return adbc_driver_duckdb.driver_path(), arguments, "duckdb_adbc_init"
    except ImportError:
        raise _missing() from None


def _missing() -> MissingDependency:
    return MissingDependency("databases: pip install 'cohortkit[sql]'")


def _within(run: Callable[[], _T], seconds: float) -> _T:
    """Run in a thread that can be left alone: no driver can be told when to give up reading."""
    made: list[_T] = []
    faults: list[BaseException] = []

    def work() -> None:
        try:
            made.append(run())
        except BaseException as fault:  # noqa: BLE001 - raised again where it is waited for
            faults.append(fault)

    thread = threading.Thread(target=work, daemon=True, name="cohortkit-sql")
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise StoreError(f"the database has not answered for {seconds:.0f} seconds")
    if faults:
        raise faults[0] from None
    return made[0]
