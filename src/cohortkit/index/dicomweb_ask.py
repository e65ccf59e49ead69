"""QIDO-RS (PS3.18 10.6): all pages of an answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cohortkit.errors import ServerError
from cohortkit.index.dicomweb_rows import state_of
from cohortkit.index.served_rows import Item, told
from cohortkit.net import Session

_PAGE: Final = 200


def pages(
    session: Session, path: str, terms: Sequence[tuple[str, str]], uid: str, most: int = 0
) -> list[Item]:
    """Every object of an answer, page by page, until a page is empty.

    Args:
        session: with the server.
        path: what is asked for: studies, series …
        terms: written as they go out.
        uid: the UID that each object has to have.
        most: end when there are as many; 0 is never.

    Raises:
        ServerError: the same objects come again on another page, or the server says that there
            are more and hands over none.
    """
    found: dict[int, Item] = {}  # a UID may stand under two patients
    warned = False
    asked = 0
    while True:
        limits = [("limit", str(_PAGE)), ("offset", str(asked))]
        page = session.page(path, [*terms, *limits])
        if not page.items:
            if warned:
                raise ServerError("the server says that its answer is cut short (Warning 299)")
            return list(found.values())
        warned = page.warned
        if not all(told(item, uid) for item in page.items):
            raise ServerError(f"the server's answer has an object without {uid}")
        new = {state_of(item): item for item in page.items}
        if new.keys() <= found.keys():
            raise ServerError("the server hands over the same objects on several pages")
        found |= new
        asked += len(page.items)
        if most and len(found) >= most:
            return list(found.values())
