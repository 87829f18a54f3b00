"""The shapes of the JSON interface, for its OpenAPI document and for what comes in.

What goes out is made by core/view.py and passed on as it is; it may have more than stands here, never less.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Time = Annotated[str, Field(description="UTC, ISO 8601, ending in Z", examples=["2026-11-22T10:05:00Z"])]
# What a person may type of an id; the front desk mends the rest.
Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Address = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class Out(BaseModel):
    """Something that is told."""

    model_config = ConfigDict(extra="allow")


class In(BaseModel):
    """Something that is asked; what is not known here is a slip, and refused."""

    model_config = ConfigDict(extra="forbid")


class Recipient(Out):
    """One recipient of a message."""

    address: str
    state: str
    external: bool
    release_at: Time | None
    reply: str | None


class Finding(Out):
    """What a check found."""

    check: str
    severity: str
    recipient: str | None
    text: str


class Message(Out):
    """A message, as `mailguard queue --json` shows it."""

    id: str
    state: str
    sender: str
    user: str | None
    subject: str
    size: int
    message_id: str
    received_at: Time
    release_at: Time | None
    action: str
    rules: list[str]
    recipients: list[Recipient]
    findings: list[Finding]


class Event(Out):
    """One line of a message's history."""

    at: Time
    event: str
    by: str


class WholeMessage(Message):
    """A message with what happened to it, as `mailguard show --json` shows it."""

    events: list[Event]


Told = Literal["done", "already", "refused", "no_such_message", "too_late", "not_yours", "try_later", "fault"]


class Outcome(Out):
    """What became of what was asked for: one word, one sentence, and the message as it stands now."""

    told: Told
    text: str
    message: Message | None = None


class Fault(Out):
    """Why not."""

    told: Told
    text: str


class Cancel(In):
    """With `to`, only these recipients are dropped, and the rest goes on."""

    to: list[Address] = Field(default=[], max_length=1000)


class Edit(In):
    """With `drafts`, the draft is put into its sender's own folder of drafts, where the admin set that up."""

    drafts: bool = False


class Draft(Outcome):
    """The draft in base64, or the `folder` that it lies in; `fault` is why it could not be put there."""

    content: str = ""
    folder: str = ""
    fault: str = ""


class Extend(In):
    """One of the two."""

    by_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    until: Annotated[str, StringConstraints(max_length=64)] | None = None


class Approve(In):
    """`seal` is that of the message as it was shown: a yes to another one is refused."""

    seal: Annotated[str, StringConstraints(max_length=200)] = ""


class Reject(In):
    """The sender reads the reason."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class Preferences(BaseModel):
    """null is what holds for everybody."""

    model_config = ConfigDict(extra="forbid")

    language: Literal["en", "fr"] | None
    notify: Literal["flagged", "always", "never"] | None


class Try(In):
    """What would happen to this message."""

    content: Annotated[str, Field(description="The message, in base64.")]
    sender: Annotated[str, StringConstraints(max_length=1000)] = Field(default="", alias="from")
    to: list[Address] = Field(default=[], max_length=1000)
    user: Annotated[str, StringConstraints(max_length=1000)] = ""
    rules: Annotated[str, Field(description="Other rules than those in force.")] = ""
    rules_file: Annotated[str, StringConstraints(max_length=1000)] = ""


class NewToken(In):
    """`login` and `password` where nobody is signed in. A null for `days`: until it is revoked."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    scope: Literal["read", "act", "admin"] = "act"
    days: Annotated[float, Field(gt=0, le=366, allow_inf_nan=False)] | None = 90
    login: Annotated[str, StringConstraints(max_length=1000)] | None = None
    password: Annotated[str, StringConstraints(max_length=2000)] | None = None


class Token(Out):
    """A token, without what a program shows."""

    name: str
    login: str
    scope: Literal["read", "act", "admin"]
    made_at: Time
    expires_at: Time | None
    used_at: Time | None


class MadeToken(Out):
    """The token itself; it is told this once."""

    token: str
    login: str
