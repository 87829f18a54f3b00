"""The shape of [[notify]] and [drafts] in mailguard.toml: whom outside to tell, and where drafts go."""

import base64
import re
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from mailguard.edge.config.faults import wrong
from mailguard.edge.config.rules_model import Table
from mailguard.edge.config.values import Port, ReadablePath, host_name, listed

IMAP_PORTS = {"tls": 993, "starttls": 143, "none": 143}

# Those of core/news.py, spelt out for the types and for the schema; a test compares them.
TopicName = Literal[
    "flagged",
    "approval",
    "approved",
    "cancelled",
    "sent_flagged",
    "expired",
    "rejected",
    "failed",
    "rules_not_taken",
    "trouble",
]
TOPICS: tuple[TopicName, ...] = get_args(TopicName)


def _target_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}", text):
        raise wrong("is no name for a target", "up to 40 letters, digits, dots and dashes, such as ops")
    return text


def _webhook_secret(secret: SecretStr) -> SecretStr:
    # Never repeated in the error.
    expected = "whsec_ and 24 to 64 bytes in base64: echo whsec_$(openssl rand -base64 32)"
    text = secret.get_secret_value()
    try:
        size = len(base64.b64decode(text.removeprefix("whsec_"), validate=True))
    except ValueError:
        size = 0
    if not (text.startswith("whsec_") and 24 <= size <= 64):
        raise wrong("is no secret for webhooks", expected)
    return secret


class NotifySettings(Table):
    """One target outside that is told what happens. May be repeated."""

    name: Annotated[str, AfterValidator(_target_name)]
    """By what `mailguard status` and the log call it."""
    kind: Literal["webhook", "apprise"]
    """`webhook`: a web service, with signed JSON; `apprise`: Slack, Teams, Mattermost, ntfy, a desktop."""
    url: SecretStr | None = None
    """Of a webhook `https://...`, else an address that apprise knows; it may hold a token."""
    url_file: ReadablePath | None = None
    """A file with the address in its first line."""
    secret: Annotated[SecretStr, AfterValidator(_webhook_secret)] | None = None
    """Of a webhook: by what its receiver knows that we said it; `whsec_` and 24 to 64 bytes in base64."""
    secret_file: ReadablePath | None = None
    """A file with the secret in its first line."""
    events: Annotated[tuple[TopicName, ...], BeforeValidator(listed)] = Field(
        default=TOPICS, json_schema_extra={"default": list(TOPICS)}
    )
    """What is told; by default all of it."""
    subject: bool = False
    """Whether subjects are told too: all readers of the target would see them."""


class DraftsSettings(Table):
    """The mailboxes into whose folder of drafts a stopped message is put that is to be written anew."""

    host: Annotated[str, AfterValidator(host_name)] | None = None
    """The IMAP server; without one, messages come back by mail."""
    port: Port = Field(default=IMAP_PORTS["tls"], description="The default is 993, or 143, as `tls` has it.")
    tls: Literal["tls", "starttls", "none"] = "tls"
    """How the connection is encrypted; certificates are verified."""
    ca_file: ReadablePath | None = None
    """Certificates to trust instead of the system's, PEM."""
    login: Literal["authzid", "master"] = "authzid"
    """How the guard logs in for somebody: SASL PLAIN with an authorization identity, or as user*master."""
    username: str | None = None
    """The guard's own login there, which may act for others."""
    password: SecretStr | None = None
    """Its password; better in a file of its own."""
    password_file: ReadablePath | None = None
    """A file with the password in its first line."""
    mailbox: Literal["login", "address"] = "login"
    """Whose mailbox: that of the sender's login here, or that of the sender's address."""
    folder: str | None = None
    """The folder; the default is the one that the server marks as that of drafts."""

    @model_validator(mode="before")
    @classmethod
    def _usual_port(cls, data: Any) -> Any:
        if isinstance(data, dict) and "port" not in data:
            return {**data, "port": IMAP_PORTS.get(str(data.get("tls", "tls")), 993)}
        return data
