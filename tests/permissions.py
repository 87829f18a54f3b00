"""Who may do what: the table that every way in is held against, whatever it is (the front desk, HTTP)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mailguard.core.states import MessageState

# Every person of the table: login and addresses. Anne and Carol share a mailbox; Chief is an admin, Bob the
# approver, Erin his deputy, and Dave somebody else.
LOGINS: Mapping[str, tuple[str, ...]] = {
    "anne": ("anne@corp.example", "info@corp.example"),
    "carol": ("carol@corp.example", "info@corp.example"),
    "dave": ("dave@corp.example", "inf*@corp.example"),
    "chief": ("chief@corp.example",),
    "bob": ("bob@corp.example",),
    "erin": ("erin@corp.example",),
}
ADMINS = ("chief",)
# Who plays which part. "machine" is the admin of the machine, "nobody" a login that is gone.
ROLES: Mapping[str, str] = {
    "owner": "anne",
    "colleague": "carol",
    "other": "dave",
    "admin": "chief",
    "machine": "",
    "approver": "bob",
    "deputy": "erin",
    "nobody": "ghost",
}
# Every message of the table is Anne's, sent from the shared mailbox.
SENDER, OWNER = "info@corp.example", "anne"
RULES = """
internal_domains = ["corp.example"]

[[rule]]
name = "press"
when = { to = "@newspaper.example" }
action = "approve"
delay = "1h"
approvers = ["bob@corp.example"]
deputies = ["erin@corp.example"]

[[rule]]
name = "big"
when = { to = "@big.example" }
action = "confirm"
delay = "1h"
"""

EVERYBODY = frozenset(ROLES)
ADMIN = frozenset({"admin", "machine"})
SENDERS = frozenset({"owner", "colleague"}) | ADMIN
APPROVERS = frozenset({"approver", "deputy"}) | ADMIN
PEOPLE = EVERYBODY - {"machine", "nobody"}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One verb of the front desk, on a message in this `state` (None: on none), with what else the request
    needs; `may` are the roles that may, and everybody else hears `otherwise`."""

    verb: str
    may: frozenset[str]
    state: MessageState | None = None
    more: Mapping[str, object] = field(default_factory=dict)
    otherwise: str = "not_yours"


S = MessageState
CASES = (
    *(Case(verb=verb, may=SENDERS | APPROVERS, state=S.APPROVAL) for verb in ("show", "raw")),
    *(Case(verb=verb, may=SENDERS | APPROVERS, state=S.HELD) for verb in ("show", "raw")),
    *(
        Case(verb=verb, may=SENDERS, state=S.CONFIRM)
        for verb in ("show", "raw", "cancel", "confirm", "release")
    ),
    *(Case(verb="cancel", may=SENDERS, state=state) for state in (S.APPROVAL, S.HELD, S.FROZEN)),
    *(Case(verb=verb, may=SENDERS, state=S.HELD) for verb in ("release", "freeze")),
    Case(verb="cancel", may=SENDERS, state=S.HELD, more={"to": ["x@newspaper.example"]}),
    Case(verb="restore", may=SENDERS, state=S.CANCELLED),
    *(Case(verb="edit", may=SENDERS, state=state) for state in (S.APPROVAL, S.HELD, S.CANCELLED)),
    Case(verb="draft", may=SENDERS, state=S.CANCELLED),
    Case(verb="thaw", may=SENDERS, state=S.FROZEN),
    Case(verb="extend", may=SENDERS, state=S.HELD, more={"by_seconds": 60}),
    Case(verb="approve", may=APPROVERS, state=S.APPROVAL),
    Case(verb="reject", may=APPROVERS, state=S.APPROVAL, more={"reason": "No"}),
    Case(verb="reload", may=ADMIN),
    Case(verb="replay", may=ADMIN, more={"since": "2026-11-01T00:00:00Z"}),
    Case(verb="backup", may=ADMIN, more={"step": "begin"}),
    Case(verb="learn", may=ADMIN, more={"step": "begin", "sources": []}),
    Case(verb="forget", may=ADMIN, more={"address": "x@newspaper.example"}),
    Case(verb="preferences", may=PEOPLE, otherwise="refused"),
    Case(verb="prefer", may=PEOPLE, more={"language": "fr"}, otherwise="refused"),
    *(Case(verb=verb, may=EVERYBODY) for verb in ("queue", "list", "approvals")),
    Case(verb="status", may=ADMIN),
    Case(verb="try", may=ADMIN, more={"content": "U3ViamVjdDogaGkNCg0KaGkNCg==", "to": ["x@y.example"]}),
    Case(verb="page", may=frozenset({"machine"})),
    Case(verb="notify", may=ADMIN),
    # Everybody's own, and nobody else's but by an admin.
    *(Case(verb=verb, may=PEOPLE | {"machine"}, more={"name": "t"}) for verb in ("tokens", "token-new")),
    *(
        Case(verb=verb, may=ADMIN | {"owner"}, more={"name": "t", "login": "anne"})
        for verb in ("tokens", "token-new", "token-revoke")
    ),
)
# In whose lists Anne's message stands while it waits for approval.
LISTED: Mapping[str, frozenset[str]] = {"queue": SENDERS, "approvals": APPROVERS}
