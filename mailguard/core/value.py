"""Values: dataclasses that nobody may change, and that are quick to make.

A message is a few dozen values on its way in, and as many at each of its moves. What `dataclasses` generates
for a frozen class sets each field through object.__setattr__, and its `replace` looks at every field anew
each time: that was a sixth of what taking a message cost. So a value is frozen for the type checker, which
sees every line of the program and of its tests, and made as any other class when it runs
(docs/decisions/0011-frozen-for-the-type-checker.md).
"""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from dataclasses import dataclass, replace
else:
    _V = TypeVar("_V")

    def dataclass(*, frozen: bool = False, **how: bool) -> Callable[[type[_V]], type[_V]]:
        """As dataclasses.dataclass."""

        def made(plain: type[_V]) -> type[_V]:
            if hasattr(plain, "__post_init__"):
                # What works something out is made now and then, and is as it was: frozen in every sense.
                whole = dataclasses.dataclass(**how, frozen=frozen)(plain)
            else:
                # A frozen value has the hash of its fields, as long as it is equal by its fields.
                whole = dataclasses.dataclass(**how, unsafe_hash=frozen and how.get("eq", True))(plain)
            whole.__replace__ = _replacing(whole) if how.get("slots") else dataclasses.replace
            return whole

        return made

    def replace(value: _V, /, **changes: object) -> _V:
        """As dataclasses.replace."""
        return value.__replace__(**changes)


__all__ = ["dataclass", "replace"]


def _replacing(whole: type[Any]) -> Callable[..., Any]:
    """Another one with some fields changed: the slots copied one by one, without a look at what they are."""
    fields = dataclasses.fields(whole)
    if hasattr(whole, "__post_init__") or not all(each.init for each in fields):
        # The new one has to be worked out.
        return dataclasses.replace
    lines = (
        "def replace(self, /, **changes):",
        " other = new(whole)",
        *(f" other.{each.name} = self.{each.name}" for each in fields),
        " for name, value in changes.items():",
        "  setattr(other, name, value)",
        " return other",
    )
    known: dict[str, Any] = {"whole": whole, "new": object.__new__}
    # The names are those of fields, which are identifiers.
    exec("\n".join(lines), known)  # noqa: S102
    replacing: Callable[..., Any] = known["replace"]
    return replacing
