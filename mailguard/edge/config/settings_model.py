"""The shape of mailguard.toml, as pydantic models: defaults, types, and the text of the JSON schema."""

import ipaddress
import socket
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from mailguard.core.address import ascii_domain
from mailguard.edge.config.faults import wrong
from mailguard.edge.config.locate import STATE_DIR
from mailguard.edge.config.outbound_model import DraftsSettings, NotifySettings
from mailguard.edge.config.rules_model import Table
from mailguard.edge.config.values import (
    AnyPath,
    Count,
    Endpoint,
    ListenOrOff,
    Listens,
    Networks,
    Port,
    ReadablePath,
    Texts,
    host_name,
    own_name,
    page_url,
)

UPSTREAM_PORTS = {"starttls": 587, "tls": 465, "none": 25}


class SmtpSettings(Table):
    """How mail comes in."""

    listen: Listens = Field(
        default=(Endpoint(host="127.0.0.1", port=2525),), json_schema_extra={"default": ["127.0.0.1:2525"]}
    )
    """Where mail is taken; STARTTLS is offered when a certificate is given."""
    listen_tls: Listens = ()
    """Where mail is taken with TLS from the first byte."""
    learn_listen: Listens = ()
    """Where copies of mail are taken, from `trusted_networks` only, to learn from; they go nowhere."""
    tls_cert: ReadablePath | None = None
    """The certificate with its chain, PEM; read again when it changes."""
    tls_key: ReadablePath | None = None
    """The certificate's private key, PEM, without a passphrase."""
    trusted_networks: Networks = (
        ipaddress.ip_network("127.0.0.0/8"),
        ipaddress.ip_network("::1/128"),
    )
    """Who may send without a login; nobody else may, on any port."""
    max_message_bytes: Count = 26214400
    """Larger messages are refused."""
    max_recipients: Count = 200
    """More recipients of one message are put off."""
    max_connections: Count = 500
    """More connections at the same time are put off."""
    max_connections_per_ip: Count = 50
    """The same for one address."""
    max_bytes_in_flight: Count = 268435456
    """Memory for messages that are being received: large ones wait for one another, and what would be more is
    put off."""
    bare_newline: Literal["refuse", "normalize"] = "refuse"
    """What a lone CR or LF inside a message gets."""
    own_process: bool = False
    """Whether SMTP, in and out, has a process of its own, which reads and judges, too: more mail a second."""


class UpstreamSettings(Table):
    """Where mail goes when it is let go."""

    kind: Literal["smtp", "maildir"] = "maildir"
    """`smtp`: a mail server; `maildir`: a directory on this machine, for trying things out."""
    path: AnyPath | None = None
    """Of a maildir: the directory (the default is `outgoing` in state_dir)."""
    host: Annotated[str, AfterValidator(host_name)] | None = None
    """The mail server's name."""
    port: Port = Field(
        default=UPSTREAM_PORTS["starttls"], description="The default is 587, 465 or 25, as `tls` has it."
    )
    tls: Literal["starttls", "tls", "none"] = "starttls"
    """How the connection is encrypted; certificates are verified."""
    ca_file: ReadablePath | None = None
    """Certificates to trust instead of the system's, PEM."""
    username: str | None = None
    """The login at the mail server."""
    password: SecretStr | None = None
    """Its password; better in a file of its own."""
    password_file: ReadablePath | None = None
    """A file with the password in its first line."""

    @model_validator(mode="before")
    @classmethod
    def _usual_port(cls, data: Any) -> Any:
        if isinstance(data, dict) and "port" not in data:
            return {**data, "port": UPSTREAM_PORTS.get(str(data.get("tls", "starttls")), 587)}
        return data


class StoreSettings(Table):
    """Where held mail is kept."""

    url: SecretStr = Field(
        default=SecretStr("sqlite:queue.db"), json_schema_extra={"default": "sqlite:queue.db"}
    )
    """`sqlite:FILE`, relative to state_dir, or `postgresql://user@host/database`."""
    url_file: ReadablePath | None = None
    """A file with the URL in its first line, where the URL holds a password."""

    @field_validator("url")
    @classmethod
    def _known(cls, url: SecretStr) -> SecretStr:
        # The value may hold a password, so it is never repeated in the error.
        kind, colon, rest = url.get_secret_value().partition(":")
        if not (colon and rest) or kind not in ("sqlite", "postgresql", "postgres"):
            raise wrong("is no store that mailguard knows", "sqlite:FILE or postgresql://user@host/database")
        return url


class WebSettings(Table):
    """The web page and the HTTP interface."""

    listen: ListenOrOff = Field(
        default=Endpoint(host="127.0.0.1", port=8025), json_schema_extra={"default": "127.0.0.1:8025"}
    )
    """Where the page is served; `off` for no page."""
    monitors: Networks = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
    """Who may read /metrics, and why /readyz says no, without a token of an admin."""
    public_url: Annotated[str, AfterValidator(page_url)] | None = None
    """Where people reach the page, for links in notices; the default is where it listens."""
    trusted_proxies: Networks = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
    """Proxies in front of the page: only their X-Forwarded-For and X-Forwarded-Proto are believed."""
    allow_http: bool = False
    """Serve the page to other machines without TLS, and without a proxy that has it: passwords can be read on
    the way."""


class AccountsSettings(Table):
    """Who may log in."""

    file: AnyPath = Path("users")
    """The file with logins and password hashes, kept by `mailguard users`."""
    admins: Texts = ()
    """Logins that see everybody's mail on the page and may do everything there."""


class LogSettings(Table):
    """The operator's log, on standard error."""

    format: Literal["text", "json"] = "text"
    """One line an event: for people, or for machines."""
    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important events that are shown."""


class Settings(BaseSettings):
    """The machine that mailguard runs on; read at start.

    Every key can also be given as MAILGUARD_<SECTION>__<KEY> (a list with commas between its items), which
    goes before the file.
    """

    model_config = SettingsConfigDict(
        env_prefix="MAILGUARD_",
        env_nested_delimiter="__",
        env_ignore_empty=True,
        # Lists come with commas; listed reads them.
        enable_decoding=False,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    hostname: Annotated[str, AfterValidator(own_name)] = Field(
        default_factory=lambda: ascii_domain(socket.gethostname()) or "localhost",
        description="Our name in SMTP and the domain of the control addresses; by default the machine's own.",
    )
    state_dir: AnyPath = Path(STATE_DIR)
    """The directory of the queue, the keys and the control socket."""
    rules_file: ReadablePath | None = None
    """The rules; the default is rules.toml beside this file, or the built-in rules where there is none."""
    language: Literal["en", "fr"] = "en"
    """The language of notices and of the page, unless the sender chose another."""
    smtp: SmtpSettings = Field(default_factory=SmtpSettings)
    upstream: UpstreamSettings = Field(default_factory=UpstreamSettings)
    store: StoreSettings = Field(default_factory=StoreSettings)
    web: WebSettings = Field(default_factory=WebSettings)
    accounts: AccountsSettings = Field(default_factory=AccountsSettings)
    log: LogSettings = Field(default_factory=LogSettings)
    drafts: DraftsSettings = Field(default_factory=DraftsSettings)
    notify: tuple[NotifySettings, ...] = ()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment goes before the file."""
        return env_settings, init_settings

    @property
    def outgoing(self) -> Path:
        """The Maildir of an upstream that is one."""
        return self.upstream.path or self.state_dir / "outgoing"

    @property
    def database(self) -> Path | None:
        """The file of an SQLite store, None for another one."""
        kind, _, rest = self.store.url.get_secret_value().partition(":")
        return self.state_dir / Path(rest).expanduser() if kind == "sqlite" else None

    @property
    def public_url(self) -> str:
        """Where people reach the page, without a slash at the end; "" where there is none."""
        return self.web.public_url or (f"http://{self.web.listen}" if self.web.listen else "")
