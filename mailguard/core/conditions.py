"""The conditions that a rule's `when` and `unless` are made of, one small class each.

A condition answers yes or no to a Case: one message with what was worked out of it once for all rules.
"""

from collections.abc import Callable
from functools import cached_property
from typing import ClassVar, Protocol

from mailguard.core import address
from mailguard.core.address import Address
from mailguard.core.facts import Facts
from mailguard.core.glob import Glob
from mailguard.core.hours import Window
from mailguard.core.patterns import Patterns
from mailguard.core.prose import Text, TextPattern, fold
from mailguard.core.value import dataclass


@dataclass(frozen=True, kw_only=True)
class Case:
    """One message as the rules see it.

    `recipients` are the envelope's, in its order, and `external` says the same of each. `findings` are the
    codes of the checks that found something. `is_internal` is the policy's word on any address.
    """

    facts: Facts
    sender: Address
    recipients: tuple[Address, ...]
    external: tuple[bool, ...]
    findings: frozenset[str]
    is_internal: Callable[[Address], bool]

    @cached_property
    def subject(self) -> Text:
        """The subject, decoded."""
        return Text(raw=self.facts.headers.subject)

    @cached_property
    def body(self) -> Text:
        """All readable text of the message, quoted text too."""
        return Text(raw=self.facts.body.text)

    @cached_property
    def attachments(self) -> tuple[str, ...]:
        """The names of the attached files, folded."""
        return tuple(fold(name) for name in self.facts.body.attachments)

    @cached_property
    def visible(self) -> frozenset[Address]:
        """Who is named in To and Cc."""
        headers = self.facts.headers
        return frozenset(address.parse(text) for text in (*headers.to, *headers.cc))


class Condition(Protocol):
    """One condition of a rule."""

    reads_body: ClassVar[bool]

    def holds(self, case: Case) -> bool:
        """Whether it is so."""


@dataclass(frozen=True, kw_only=True, slots=True)
class From:
    """The envelope sender is one of these.

    The envelope's, never the From header's: that one is the message's own claim, and `unless = {from = …}`
    would let out whoever forges it. The envelope sender was held against the login when it was given.
    """

    patterns: Patterns
    reads_body: ClassVar[bool] = False

    def holds(self, case: Case) -> bool:
        """Whether it is so."""
        return self.patterns.cover(case.sender, external=not case.is_internal(case.sender))


@dataclass(frozen=True, kw_only=True, slots=True)
class To:
    """At least one recipient is one of these."""

    patterns: Patterns
    reads_body: ClassVar[bool] = False

    def holds(self, case: Case) -> bool:
        """Whether it is so."""
        return bool(self.concerned(case))

    def concerned(self, case: Case) -> frozenset[int]:
        """Which recipients these are, by their place in the envelope."""
        cover, external = self.patterns.cover, case.external
        return frozenset(
            [place for place, who in enumerate(case.recipients) if cover(who, external=external[place])]
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ToAll:
    """Every recipient is one of these."""

    patterns: Patterns
    reads_body: ClassVar[bool] = False

    def holds(self, case: Case) -> bool:
        """Whether it is so."""
        pairs = zip(case.recipients, case.external, strict=True)
        return all(self.patterns.cover(who, external=outside) for who, outside in pairs)


@dataclass(frozen=True, kw_only=True, slots=True)
class User:
    """The login is one of these; a client of a trusted network has none. The globs are folded."""

    logins: tuple[Glob, ...]
    reads_body: ClassVar[bool] = False

    def holds(self, case: Case) -> bool:
        """Whether it is so."""
        user = case.facts.user
        return user is not None and any(login.fits(fold(user)) for login in self.logins)


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """One of these is in the subject."""

    patterns: tuple[TextPattern, ...]
    reads_body: ClassVar[bool] = False

    def holds(self, case: Case) -> bool:
        """Whether it is so."""
        return any(pattern.found_in(case.subject) for pattern in self.patterns)


@dataclass(frozen=True, kw_only=True, slots=True)
class BodyText:
    """One of these is in the text of the message."""

    patterns: tuple[TextPattern, ...]
    reads_body: ClassVar[bool] = True

    def holds(self, case: Case) -> bool:
        """Whether it is so."""
        return any(pattern.found_in(case.body) for pattern in self.patterns)


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """One of these is in a header of this name (in lower case)."""

    name: str
    patterns: tuple[TextPattern, ...]
    reads_body: ClassVar[bool] = False

    def holds(self, case: Case) -> bool:
        """Whether it is so."""
        values = [Text(raw=value) for value in case.facts.headers.fields.get(self.name, ())]
        return any(pattern.found_in(value) for value in values for pattern in self.patterns)


@dataclass(frozen=True, kw_only=True, slots=True)
class Attachment:
    """A file with a name like one of these is attached; `*` means any, a nameless one too."""

    names: tuple[Glob, ...]
    reads_body: ClassVar[bool] = True

    def holds(self, case: Case) -> bool:
        """Whether it is so."""
        return any(name.fits(attached) for attached in case.attachments for name in self.names)


@dataclass(frozen=True, kw_only=True, slots=True)
class SizeOver:
    """The message has more bytes than this."""

    size: int
    reads_body: ClassVar[bool] = False

    def holds(self, case: Case) -> bool:
        """Whether it is so."""
        return case.facts.size > self.size


@dataclass(frozen=True, kw_only=True, slots=True)
class RecipientsOver:
    """More different recipients than this."""

    count: int
    reads_body: ClassVar[bool] = False

    def holds(self, case: Case) -> bool:
        """Whether it is so."""
        return len(set(case.recipients)) > self.count


@dataclass(frozen=True, kw_only=True, slots=True)
class ExternalOver:
    """More different recipients outside than this."""

    count: int
    reads_body: ClassVar[bool] = False

    def holds(self, case: Case) -> bool:
        """Whether it is so."""
        pairs = zip(case.recipients, case.external, strict=True)
        return len({who for who, outside in pairs if outside}) > self.count


@dataclass(frozen=True, kw_only=True, slots=True)
class VisibleExternalOver:
    """To and Cc show each other more addresses outside than this; Bcc and the envelope do not count."""

    count: int
    reads_body: ClassVar[bool] = False

    def holds(self, case: Case) -> bool:
        """Whether it is so."""
        return sum(not case.is_internal(who) for who in case.visible) > self.count


@dataclass(frozen=True, kw_only=True, slots=True)
class Importance:
    """The sender marked it as one of these: high, normal, low."""

    levels: frozenset[str]
    reads_body: ClassVar[bool] = False

    def holds(self, case: Case) -> bool:
        """Whether it is so."""
        return case.facts.headers.importance in self.levels


@dataclass(frozen=True, kw_only=True, slots=True)
class IsReply:
    """It says that it answers something, or that it does not."""

    wanted: bool
    reads_body: ClassVar[bool] = False

    def holds(self, case: Case) -> bool:
        """Whether it is so."""
        return case.facts.headers.is_reply is self.wanted


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """One of these checks found something."""

    codes: frozenset[str]
    reads_body: ClassVar[bool] = False

    def holds(self, case: Case) -> bool:
        """Whether it is so."""
        return not self.codes.isdisjoint(case.findings)


@dataclass(frozen=True, kw_only=True, slots=True)
class During:
    """It came in during one of these times of the week."""

    windows: tuple[Window, ...]
    reads_body: ClassVar[bool] = False

    def holds(self, case: Case) -> bool:
        """Whether it is so."""
        return any(window.contains(case.facts.now) for window in self.windows)
