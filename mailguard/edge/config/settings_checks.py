"""What the keys of mailguard.toml have to do with each other, section by section."""

import ipaddress
import ssl
from collections.abc import Iterator

from mailguard.edge.config.settings_model import SmtpSettings, UpstreamSettings

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


def _is_here(host: str | None) -> bool:
    if host is None or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
