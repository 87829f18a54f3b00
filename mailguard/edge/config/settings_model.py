"""The shape of mailguard.toml, as pydantic models: defaults, types, and the text of the JSON schema."""

import ipaddress
import json
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from mailguard.core.address import ascii_domain
from mailguard.edge.config.faults import wrong
from mailguard.edge.config.locate import STATE_DIR
from mailguard.edge.config.rules_model import Table

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

UPSTREAM_PORTS = {"starttls": 587, "tls": 465, "none": 25}


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """Where to listen; port 0 lets the system choose."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _endpoint(value: object) -> object:
    if isinstance(value, Endpoint):
        return value
    if not isinstance(value, str):
        raise wrong("is no text", 'host:port in quotes, such as "127.0.0.1:2525"')
    host, colon, port = value.strip().rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    bracketed = host != bare
    if not (colon and bare and port.isascii() and port.isdecimal() and int(port) < 65536):
        raise wrong(
            f"{value!r} is no address to listen on", 'host:port, such as "127.0.0.1:2525" or "[::1]:2525"'
        )
    if bracketed != (":" in bare):
        raise wrong(
            f"{value!r} has brackets in the wrong place", "brackets around an IPv6 address: [::1]:2525"
        )
    return Endpoint(host=bare, port=int(port))


def _endpoint_or_none(value: object) -> object:
    return None if value is None or value == "off" else _endpoint(value)


def _network(value: object) -> object:
    if isinstance(value, Network):
        return value
    expected = 'a network such as "10.1.0.0/16" or "127.0.0.1", in quotes'
    if not isinstance(value, str):
        raise wrong("is no text", expected)
    try:
        network = ipaddress.ip_network(value.strip(), strict=False)
    except ValueError:
        raise wrong(f"{value!r} is no network", expected) from None
    if ipaddress.ip_interface(value.strip()).ip != network.network_address:
        raise wrong(f"{value!r} names a machine and a network at once", f"{network}, or the machine alone")
    if network.prefixlen == 0:
        raise wrong("this would let the whole Internet send", "the networks of your own machines")
    return network


def _listed(value: object) -> object:
    """A list, or, from an environment variable, its items with commas between them (or as JSON)."""
    if not isinstance(value, str):
        return value
    if value.strip().startswith("["):
        try:
            return json.loads(value)
        except ValueError:
            raise wrong("is no list", "items with commas between them, or a JSON list") from None
    return [item.strip() for item in value.split(",") if item.strip()]


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


def _file(path: Path) -> Path:
    found = _absolute(path)
    try:
        with found.open("rb"):
            return found
    except OSError as error:
        raise wrong(f"{found} cannot be read: {error.strerror}", "a file that mailguard may read") from None


def _hostname(text: str) -> str:
    name = ascii_domain(text)
    if not name:
        raise wrong(f"{text!r} is no host name", "a name such as guard.corp.example")
    return name


def _host(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        if not ascii_domain(text):
            raise wrong(
                f"{text!r} is no host", "a name or an IP address; the port is a key of its own"
            ) from None
    return ascii_domain(text)


def _public_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise wrong("is no address of a web page", "https://guard.corp.example, where people reach the page")
    return text.rstrip("/")


_TEXTS = WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})

Listen = Annotated[Endpoint, BeforeValidator(_endpoint), WithJsonSchema({"type": "string"})]
Listens = Annotated[tuple[Listen, ...], BeforeValidator(_listed), _TEXTS]
Networks = Annotated[
    tuple[Annotated[Network, BeforeValidator(_network)], ...], BeforeValidator(_listed), _TEXTS
]
AnyPath = Annotated[Path, AfterValidator(_absolute)]
ReadablePath = Annotated[Path, AfterValidator(_file)]
Port = Annotated[int, Field(ge=1, le=65535)]
Count = Annotated[int, Field(ge=1)]


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
    bare_newline: Literal["refuse", "normalize"] = "refuse"
    """What a lone CR or LF inside a message gets."""


class UpstreamSettings(Table):
    """Where mail goes when it is let go."""

    kind: Literal["smtp", "maildir"] = "maildir"
    """`smtp`: a mail server; `maildir`: a directory on this machine, for trying things out."""
    path: AnyPath | None = None
    """Of a maildir: the directory (the default is `outgoing` in state_dir)."""
    host: Annotated[str, AfterValidator(_host)] | None = None
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

    listen: Annotated[
        Endpoint | None, BeforeValidator(_endpoint_or_none), WithJsonSchema({"type": "string"})
    ] = Field(default=Endpoint(host="127.0.0.1", port=8025), json_schema_extra={"default": "127.0.0.1:8025"})
    """Where the page is served; `off` for no page."""
    public_url: Annotated[str, AfterValidator(_public_url)] | None = None
    """Where people reach the page, for links in notices; the default is where it listens."""


class AccountsSettings(Table):
    """Who may log in."""

    file: AnyPath = Path("users")
    """The file with logins and password hashes, kept by `mailguard users`."""
    admins: Annotated[tuple[str, ...], BeforeValidator(_listed), _TEXTS] = ()
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
        # Lists come with commas; _listed reads them.
        enable_decoding=False,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    hostname: Annotated[str, AfterValidator(_hostname)] = Field(
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
