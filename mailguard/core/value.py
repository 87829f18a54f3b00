"""Values: dataclasses that nobody may change, and that are quick to make.

A message is a few dozen values on its way in, and as many at each of its moves. What `dataclasses` generates
for a frozen class sets each field through object.__setattr__, and its `replace` looks at every field anew
each time: that was a sixth of what taking a message cost. So a value is frozen for the type checker, which
sees every line of the program and of its tests, and made as any other class when it runs
(docs/decisions/0011-frozen-for-the-type-checker.md).
"""

import dataclasses
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from dataclasses import dataclass, replace
else:
    _V = TypeVar("_V")

    def dataclass(*, frozen: bool = False, **how: bool) -> Callable[[type[_V]], type[_V]]:
        """As dataclasses.dataclass."""
        # A frozen value has the hash of its fields, as long as it is equal by its fields.
        hashed = frozen and how.get("eq", True)

        def made(plain: type[_V]) -> type[_V]:
            # What works something out is made now and then, and frozen in every sense.
            fixed = frozen and hasattr(plain, "__post_init__")
            return dataclasses.dataclass(**how, frozen=fixed, unsafe_hash=hashed)(plain)

        return made

    def replace(value: _V, /, **changes: object) -> _V:
        """As dataclasses.replace."""
        return _replacing(type(value))(value, **changes)


__all__ = ["dataclass", "replace"]


# Made when it is asked for: of most classes no value is ever replaced.
@cache
def _replacing(kind: type[Any]) -> Callable[..., Any]:
    """Another one with some fields changed: the slots copied one by one, without a look at what they are."""
    if "__slots__" not in vars(kind) or hasattr(kind, "__post_init__"):
        # There is more to it than slots, or the new one has to be worked out.
        return dataclasses.replace
    lines = (
        "def replace(self, /, **changes):",
        " other = new(kind)",
        *(f" other.{each.name} = self.{each.name}" for each in dataclasses.fields(kind)),
        " for name, value in changes.items():",
        "  setattr(other, name, value)",
        " return other",
    )
    known: dict[str, Any] = {"kind": kind, "new": object.__new__}
    # The names are those of fields, which are identifiers.
    exec("\n".join(lines), known)  # noqa: S102
    replacing: Callable[..., Any] = known["replace"]
    return replacing
