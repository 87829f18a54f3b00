"""What the keys of mailguard.toml have to do with each other, section by section."""

import ipaddress
import logging
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from mailguard.edge.config.outbound_model import DraftsSettings, NotifySettings
from mailguard.edge.config.settings_model import SmtpSettings, UpstreamSettings, WebSettings

# A key of the section, what is wrong there, and what was expected.
WrongKey = tuple[str, str, str]


def smtp_wrongs(smtp: SmtpSettings) -> Iterator[WrongKey]:
    """What is wrong between the keys of [smtp]."""
    if not (smtp.listen or smtp.listen_tls):
        yield "listen", "nothing would take mail", "at least one address to listen on"
    if smtp.listen_tls and smtp.tls_cert is None:
        yield "listen_tls", "TLS needs a certificate", "tls_cert and tls_key as well"
    if smtp.tls_cert is not None and smtp.tls_key is None:
        yield "tls_key", "is missing", "the private key of tls_cert"
    if smtp.tls_key is not None and smtp.tls_cert is None:
        yield "tls_cert", "is missing", "the certificate of tls_key"
    if smtp.tls_cert is not None and smtp.tls_key is not None:
        yield from _certificate(smtp)


def _certificate(smtp: SmtpSettings) -> Iterator[WrongKey]:
    """Whether certificate and key can be used together, asked now and not at the first connection."""

    def no_passphrase() -> str:
        # Without this, OpenSSL would ask for it on the terminal and wait.
        raise ValueError("the key has a passphrase")

    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(smtp.tls_cert), str(smtp.tls_key), password=no_passphrase)
    except ValueError:
        yield "tls_key", "it has a passphrase", "a key without one, readable by mailguard only"
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            yield "tls_key", "it is the key of another certificate", "the private key of tls_cert"
        else:
            yield "tls_cert", "certificate or key is no valid PEM", "PEM files, beginning with -----BEGIN"
    except OSError:
        # That they cannot be read has been told already, key by key.
        return


def upstream_wrongs(upstream: UpstreamSettings) -> Iterator[WrongKey]:
    """What is wrong between the keys of [upstream]."""
    if upstream.kind == "maildir":
        for key in ("host", "username", "password", "password_file"):
            if getattr(upstream, key) is not None and not (key == "password" and upstream.password_file):
                yield key, "a maildir has none", 'kind = "smtp"'
        return
    if upstream.path is not None:
        yield "path", "a mail server has none", 'kind = "maildir"'
    if upstream.host is None:
        yield "host", "is missing", "the name of the mail server"
    if (upstream.username is None) != (upstream.password is None):
        missing = "password" if upstream.password is None else "username"
        yield missing, "is missing", "both username and password, or neither"
    if upstream.password is not None and upstream.tls == "none" and not _is_here(upstream.host):
        yield "tls", "the password would cross the network for all to read", '"starttls" or "tls"'


def web_wrongs(web: WebSettings) -> Iterator[WrongKey]:
    """What is wrong between the keys of [web]."""
    if web.listen is None or web.allow_http or _is_here(web.listen.host):
        return
    if urlsplit(web.public_url or "").scheme != "https":
        problem = "passwords would cross the network for all to read"
        yield "listen", problem, "127.0.0.1, the https public_url of a proxy in front, or allow_http = true"


def notify_wrongs(target: NotifySettings) -> Iterator[WrongKey]:
    """What is wrong between the keys of one [[notify]]. No address is repeated: it may hold a token."""
    if target.url is None:
        yield "url", "is missing", "url or url_file: where it is told"
        return
    url = target.url.get_secret_value()
    if target.kind == "apprise":
        if target.secret is not None:
            yield ("secret_file" if target.secret_file else "secret"), "apprise has none", 'kind = "webhook"'
        yield from _chat_wrongs(url)
        return
    if target.secret is None:
        yield "secret", "is missing", "secret or secret_file, by which the receiver knows us"
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or not url.isascii() or any(char.isspace() for char in url):
        yield "url", "is no address of a web service", "https://host/path"
    elif parts.scheme == "http" and not _is_near(parts.hostname or ""):
        yield "url", "the news would cross the network for all to read", "https://"


def _chat_wrongs(url: str) -> Iterator[WrongKey]:
    # Imported here, since few have such a target, and the library takes its time to load.
    try:
        from apprise import Apprise, AppriseAsset  # noqa: PLC0415
    except ImportError:
        yield "kind", "apprise is not installed", "pip install 'mailguard[notify]'"
        return
    # It writes the address into a log of its own.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    if Apprise.instantiate(url, asset=AppriseAsset(), suppress_exceptions=True) is None:
        yield "url", "is no address that apprise knows", "one from https://appriseit.com/services/"


def drafts_wrongs(drafts: DraftsSettings) -> Iterator[WrongKey]:
    """What is wrong between the keys of [drafts]."""
    if drafts.host is None:
        for key in ("username", "password", "folder", "ca_file"):
            if getattr(drafts, key) is not None:
                yield "host", "is missing", "the name of the IMAP server"
                return
        return
    for key in ("username", "password"):
        if getattr(drafts, key) is None:
            yield key, "is missing", "the guard's own login at the IMAP server"
    if drafts.tls == "none" and not _is_here(drafts.host):
        yield "tls", "the password would cross the network for all to read", '"tls" or "starttls"'


def _is_near(host: str) -> bool:
    """This machine, a private address, or a name without dots, which only a network of one's own knows."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host


def _is_here(host: str | None) -> bool:
    if host is None or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
