"""What the kill tests of the table of ids run and kill: ids asked for, and told once they stand."""

from __future__ import annotations

import random
import sys

import cohortkit as ck
from cohortkit.model import Person


def main(key: str, table: str, seed: int, many: int, batch: int) -> None:
    """Ask for the ids of ``many`` identifiers in an order of one's own, a batch in one go."""
    ids = ck.IdTable.from_file(table).pseudonyms(ck.Key.from_file(key))
    order = list(range(many))
    random.Random(seed).shuffle(order)
    for start in range(0, many, batch):
        with ids.together():
            told = [
                (number, ids.patient(Person("", str(number))), ids.uid(f"1.2.{number}"))
                for number in order[start : start + batch]
            ]
        # only now is it durable, and only now may anyone be told
        sys.stdout.write("".join(f"{n} {name} {uid}\n" for n, name, uid in told))
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
