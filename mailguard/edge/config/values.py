"""Values of mailguard.toml that are more than a text or a number: read and checked."""

import ipaddress
import json
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from mailguard.core.address import ascii_domain
from mailguard.core.value import dataclass
from mailguard.edge.config.faults import wrong

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


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


def listed(value: object) -> object:
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


def own_name(text: str) -> str:
    name = ascii_domain(text)
    if not name:
        raise wrong(f"{text!r} is no host name", "a name such as guard.corp.example")
    return name


def host_name(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        if not ascii_domain(text):
            raise wrong(
                f"{text!r} is no host", "a name or an IP address; the port is a key of its own"
            ) from None
    return ascii_domain(text)


def page_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise wrong("is no address of a web page", "https://guard.corp.example, where people reach the page")
    return text.rstrip("/")


_TEXTS = WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})

Listen = Annotated[Endpoint, BeforeValidator(_endpoint), WithJsonSchema({"type": "string"})]
ListenOrOff = Annotated[
    Endpoint | None, BeforeValidator(_endpoint_or_none), WithJsonSchema({"type": "string"})
]
Listens = Annotated[tuple[Listen, ...], BeforeValidator(listed), _TEXTS]
Networks = Annotated[
    tuple[Annotated[Network, BeforeValidator(_network)], ...], BeforeValidator(listed), _TEXTS
]
Texts = Annotated[tuple[str, ...], BeforeValidator(listed), _TEXTS]
AnyPath = Annotated[Path, AfterValidator(_absolute)]
ReadablePath = Annotated[Path, AfterValidator(_file)]
Port = Annotated[int, Field(ge=1, le=65535)]
Count = Annotated[int, Field(ge=1)]
