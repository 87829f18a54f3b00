"""The list of a long queue: asked for a page at a time, and shown as it comes."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from mailguard.cli.ending import Json, told
from mailguard.core.told import Told

Message = Mapping[str, Any]

# The first page is small, so that it is there at once; the others are not, so that a million does not take
# long.
FIRST = 200
NEXT = 2000


def pages(ask: Callable[[Json], Json], request: Json, most: int | None) -> Iterator[list[Message]]:
    """The messages, each once, at most so many. `ask` gives good answers only, but for one: that the
    message after which a page begins is there no more."""
    seen: set[str] = set()
    after: object = None
    while True:
        size = NEXT if seen else FIRST
        answer = ask(
            {**request, "after": after, "limit": size if most is None else min(size, most - len(seen))}
        )
        if after is not None and told(answer) is Told.NO_SUCH_MESSAGE:
            # From the beginning again: what was shown before is passed over.
            after = None
            continue
        given = answer["messages"]
        new = [one for one in given if one["id"] not in seen] if isinstance(given, list) else []
        seen.update(one["id"] for one in new)
        after = answer.get("after")
        if new:
            yield new
        if after is None or (most is not None and len(seen) >= most):
            return


def print_array(found: Iterable[list[Message]]) -> None:
    """One JSON array, written as its parts come in."""
    before = "["
    for page in found:
        for message in page:
            shown = json.dumps(message, ensure_ascii=False, indent=2).replace("\n", "\n  ")
            sys.stdout.write(f"{before}\n  {shown}")
            before = ","
        sys.stdout.flush()
    sys.stdout.write("[]\n" if before == "[" else "\n]\n")
