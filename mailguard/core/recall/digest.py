"""Reads a letter for the memory and for the judge: what is kept of it, and what only its judging needs."""

import re
from collections import Counter
from collections.abc import Iterator

from mailguard.core.prose import fold
from mailguard.core.recall import greeting, quotation
from mailguard.core.recall.hashing import Digests
from mailguard.core.recall.letter import Letter
from mailguard.core.recall.observation import GREETING_LIMIT, NAME_LIMIT, TERM_LIMIT, Observation
from mailguard.core.recall.quotation import Quotation
from mailguard.core.value import dataclass

_WORD = re.compile(r"[^\W\d_][\w']{2,17}")
_PREFIX = re.compile(
    r"\s*(?:(?P<reply>re|aw|sv|r[ée]f|antw)|(?P<forward>fwd?|tr|wg|rv|i))\s?(?:\[\d{1,3}\])?\s?:\s*|\s*\[[^\]\n]{1,40}\]\s*",
    re.IGNORECASE,
)
_LETTERS = re.compile(r"\W+")
_OWN_TERMS = 56
# What the sender wrote himself weighs this much, and a word of the subject twice that.
_OWN, _QUOTED = 3, 1
_COMMON_WORDS = """
the and for you that this with have are was will not but from they would been can your our all has
any its were one out about there what which when their more them then than also just get who how
should may could into some only here had his her him she does did let know please thanks sent
subject message original http https www com regards best wrote les des une est pas que qui dans pour
sur avec vous nous mais plus par sont ont aux ces cette leur votre notre merci der die das und ist
nicht mit den von ein eine auf ich sie wir dem des sich auch wie noch
"""
_COMMON = frozenset(_COMMON_WORDS.split())
_UNREAD = Quotation(own="")


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """A letter, read once: the `observation` to keep, and what is gone after the judging.

    `greeted` are names in its greeting, `spoken` the folded words that the sender wrote (the first ones),
    `mentioned` all words of it and of what it quotes, `addresses` those that the sender spells out.
    """

    observation: Observation
    quotation: Quotation
    greeted: tuple[str, ...]
    spoken: frozenset[str]
    mentioned: frozenset[str]
    addresses: frozenset[str]
    own_length: int


def read(letter: Letter, digests: Digests, *, words: bool = True, greets: bool = True) -> Reading:
    """Read a letter; linear in its length and never raises, whatever is in it.

    Without `words` the terms, what was spoken and its length stay empty: they are most of the work, and
    nothing but the suspicion and the log asks for them. Whom it greets is for a sender whose greetings are
    known; with neither of the two nobody looks at its text.
    """
    subject, is_reply, is_forward = bare_subject(letter.subject)
    quoted = quotation.read(letter.text) if words or greets else _UNREAD
    own = fold(quoted.own) if words else ""
    greeted = greeting.names(quoted.own) if quoted.own else ()
    spoken = _WORD.findall(own) if words else []
    cited = _WORD.findall(fold(quoted.quoted)) if words and quoted.quoted else []
    style = _style(own, greeted, is_forward)
    observation = Observation(
        when=int(letter.when.timestamp()),
        sender=letter.sender,
        to=letter.to,
        cc=letter.cc,
        hidden=letter.hidden,
        message_id=digests.id(letter.message_id) if letter.message_id else 0,
        answers=tuple(map(digests.id, letter.answers[-12:])),
        subject=digests.id(subject) if len(subject) > 3 else 0,
        is_reply=is_reply or bool(letter.answers),
        is_forward=is_forward,
        through_list=letter.through_list,
        greeting=tuple(map(digests.word, greeted))[:GREETING_LIMIT],
        terms=tuple(_terms(subject, spoken, cited, style, digests)) if words else (),
        names=_names(letter) if letter.names else (),
    )
    return Reading(
        observation=observation,
        quotation=quoted,
        greeted=greeted,
        spoken=frozenset(spoken[:200]),
        mentioned=frozenset((*spoken, *cited)),
        addresses=quotation.addresses_in(quoted.own) if words else frozenset(),
        own_length=len(own.strip()),
    )


def _names(letter: Letter) -> tuple[tuple[str, str], ...]:
    people = (letter.sender, *letter.recipients)
    return tuple((one, letter.names[one][:60]) for one in people if letter.names.get(one))[:NAME_LIMIT]


def bare_subject(subject: str) -> tuple[str, bool, bool]:
    """A subject folded and without Re:, Fwd: and [tags]; whether it said it was a reply, or a forward."""
    if not subject:
        return "", False, False
    reply = forward = False
    place = 0
    subject = subject[:400]
    while match := _PREFIX.match(subject, place):
        # The outermost prefix says what this mail is.
        reply = reply or bool(match["reply"] and not forward)
        forward = forward or bool(match["forward"] and not reply)
        place = match.end()
    return _LETTERS.sub(" ", fold(subject[place:])).strip(), reply, forward


def _style(own: str, greeted: tuple[str, ...], is_forward: bool) -> Iterator[str]:
    """How it is written is a word like another: the greeting, the signature, the length."""
    lines = own.strip()[-80:].split("\n")
    last = lines[-1].strip()
    if last and len(last) <= 24 and len(lines) > 1:
        yield "\x00sign:" + last
    yield from ("\x00greet:" + name for name in greeted)
    yield f"\x00long:{min(len(own), 4095).bit_length() // 2}:{is_forward}"


def _terms(
    subject: str, spoken: list[str], cited: list[str], style: Iterator[str], digests: Digests
) -> Iterator[tuple[int, int]]:
    """The words to keep, heaviest first, in an order that two mails with the same words share."""
    own = Counter({word: _OWN * count for word, count in Counter(spoken).items()})
    own.update(dict.fromkeys(_WORD.findall(subject), 2 * _OWN))
    own.update(dict.fromkeys(style, _OWN))
    word = digests.word
    mine = [(count, word(text)) for text, count in own.items() if text not in _COMMON]
    mine.sort(reverse=True)
    del mine[_OWN_TERMS:]
    taken = {number for _, number in mine}
    theirs: list[tuple[int, int]] = []
    if cited:
        count = Counter(cited)
        theirs = [(_QUOTED * times, word(text)) for text, times in count.items() if text not in _COMMON]
        theirs.sort(reverse=True)
    kept = (*mine, *(pair for pair in theirs if pair[1] not in taken))[:TERM_LIMIT]
    return ((number, min(times, 255)) for times, number in kept)
