"""Makes a Letter of a mail on the road, or of one in a folder, and tells when two of them are one mail."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import blake2b

from mailguard.core import address, charset, mailboxes
from mailguard.core.facts import Headers
from mailguard.core.recall.letter import Letter
from mailguard.core.recall.observation import Observation
from mailguard.core.value import replace

# Before this there was no mail that anybody would learn from; such a date is a clock that was not set.
_EARLIEST = datetime(1985, 1, 1, tzinfo=UTC)
_NAMES = 20
_AUTOMATIC = frozenset({"bulk", "junk"})


def on_its_way(
    headers: Headers,
    text: str,
    *,
    sender: str,
    recipients: Iterable[str],
    when: datetime,
    names: bool = True,
) -> Letter:
    """A mail as its envelope has it: whom of its `recipients` no header names is hidden. The display names
    are for the log; who only has it judged needs no `names`."""
    going = dict.fromkeys(map(address.normal, recipients))
    to = tuple(one for one in _each(headers.to) if one in going)
    cc = tuple(one for one in _each(headers.cc) if one in going and one not in to)
    hidden = tuple(one for one in going if one not in to and one not in cc)
    return _letter(headers, text, _author(headers, sender), (to, cc, hidden), when, names=names)


def in_a_folder(headers: Headers, text: str, when: datetime) -> Letter | None:
    """A mail as its header alone has it; None where that names no author or nobody whom it went to."""
    author = _author(headers, "")
    to = _each(headers.to)
    cc = tuple(one for one in _each(headers.cc) if one not in to)
    # A sent-mail folder keeps the field.
    blind, _ = mailboxes.split(",".join(headers.fields.get("bcc", ())))
    hidden = tuple(one for one in _each(blind) if one not in to and one not in cc)
    if not address.parse(author).plain or not (to or cc or hidden):
        return None
    return _letter(headers, text, author, (to, cc, hidden), when)


def with_text(letter: Letter, text: str) -> Letter:
    """The same letter with what it says."""
    return replace(letter, text=text)


def dated(headers: Headers, now: datetime) -> datetime | None:
    """When a mail says it was written; None where it does not say, or says what cannot be."""
    written = next(iter(headers.fields.get("date", ())), "")
    try:
        when = parsedate_to_datetime(written)
        when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return when if when >= _EARLIEST and (when - now).days < 1 else None


def is_automatic(headers: Headers) -> bool:
    """Whether a program wrote it (RFC 3834) to whom it may concern: nobody's habits."""
    said = next(iter(headers.fields.get("auto-submitted", ())), "no").partition(";")[0].strip().lower()
    kind = next(iter(headers.fields.get("precedence", ())), "").strip().lower()
    return said != "no" or kind in _AUTOMATIC


def mark(observation: Observation) -> int:
    """64 bits (signed) that two copies of one mail share, whoever got blind copies. A mail whose recipients
    were split into several submissions is several."""
    people = sorted((*observation.to, *observation.cc)) or sorted(observation.hidden)
    if observation.message_id:
        what: tuple[object, ...] = (observation.message_id,)
    else:
        what = (observation.when, observation.subject, observation.terms[:20])
    text = repr((what, observation.sender, people)).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big", signed=True)


def _by_list(headers: Headers) -> bool:
    """Whether a mailing list sent it on (RFC 2919, RFC 2369)."""
    kind = next(iter(headers.fields.get("precedence", ())), "").strip().lower()
    return kind == "list" or any(field in headers.fields for field in ("list-id", "list-post"))


def _author(headers: Headers, sender: str) -> str:
    written = headers.from_[0] if headers.from_ else ""
    return address.normal(written if address.parse(written).plain else sender)


def _each(written: Collection[str]) -> tuple[str, ...]:
    if not written:
        return ()
    return tuple(dict.fromkeys(who for one in written if "@" in (who := address.normal(one))))


def _letter(
    headers: Headers,
    text: str,
    sender: str,
    people: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]],
    when: datetime,
    *,
    names: bool = True,
) -> Letter:
    to, cc, hidden = people
    return Letter(
        sender=sender,
        when=when,
        to=to,
        cc=cc,
        hidden=hidden,
        subject=headers.subject,
        text=text,
        message_id=headers.message_id.strip("<> "),
        answers=headers.thread_ids,
        through_list=_by_list(headers),
        names=dict(_names(headers.fields)) if names else {},
    )


def _names(fields: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    """What people are called, by address; of a long list only the first."""
    for field in ("from", "to", "cc"):
        value = ",".join(fields.get(field, ()))
        if "<" not in value:
            continue
        for name, who in mailboxes.named(value)[:_NAMES]:
            if name:
                yield address.normal(who), charset.clean(name).strip("\"' ")
