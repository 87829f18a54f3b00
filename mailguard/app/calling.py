"""Methods of the other process: what is asked there, and how it is answered here.

What crosses is read by what the methods of a Protocol say that they take and give, and into nothing else. The
only error that they raise crosses, too: StoreError.
"""

import inspect
import typing
from typing import Any

import msgspec

from mailguard.core.errors import StoreError
from mailguard.core.value import dataclass
from mailguard.edge.channel import AnswerFailed, Channel, ChannelLost

_written = msgspec.msgpack.Encoder().encode
_read_call = msgspec.msgpack.Decoder(tuple[str, msgspec.Raw]).decode
_read_answer = msgspec.msgpack.Decoder(tuple[bool, msgspec.Raw]).decode
_read_text = msgspec.msgpack.Decoder(str).decode


@dataclass(frozen=True, slots=True)
class _Method:
    """The names of what it takes, and how that and what it gives are read."""

    names: tuple[str, ...]
    arguments: msgspec.msgpack.Decoder[Any]
    result: msgspec.msgpack.Decoder[Any]


class Calls:
    """The coroutine methods of a Protocol."""

    def __init__(self, protocol: type) -> None:
        self._methods = {
            name: _method(function)
            for name, function in vars(protocol).items()
            if inspect.iscoroutinefunction(function)
        }

    async def ask(self, channel: Channel, about: int, name: str, *arguments: object) -> Any:
        """What the method gives there. Raises StoreError: also where the other process is gone."""
        head = _written((name, arguments))
        try:
            well, rest = _read_answer(await channel.ask(about, head))
        except (ChannelLost, AnswerFailed) as error:
            raise StoreError(f"the other process of the guard did not answer: {error}") from error
        if not well:
            raise StoreError(_read_text(rest))
        return self._methods[name].result.decode(rest)

    async def answer(self, target: object, head: bytes) -> bytes:
        """What the method of the target gives, for `ask`."""
        name, rest = _read_call(head)
        method = self._methods[name]
        arguments = dict(zip(method.names, method.arguments.decode(rest), strict=True))
        try:
            result = await getattr(target, name)(**arguments)
        except StoreError as error:
            return _written((False, str(error)))
        return _written((True, result))


def _method(function: Any) -> _Method:
    hints = typing.get_type_hints(function)
    result = hints.pop("return")
    return _Method(
        names=tuple(hints),
        arguments=msgspec.msgpack.Decoder(tuple[tuple(hints.values())]),  # type: ignore[misc]
        result=msgspec.msgpack.Decoder(result),
    )
