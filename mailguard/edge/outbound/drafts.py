"""Puts a draft into a person's own mailbox, by IMAP, with a login of the guard's own that may act for others.

Two ways to say for whom are in use: SASL PLAIN with an authorization identity (RFC 4616), and the login
`user*master` of Dovecot. Nobody's own password is ever asked for or kept.
"""

import contextlib
import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError, LoginError
from imapclient.imapclient import DRAFT, DRAFTS, SEEN

from mailguard.core.errors import NotPlaced
from mailguard.core.value import dataclass
from mailguard.edge.outbound.aside import Aside

# A person waits for it.
DEADLINE = 10.0
TIMEOUT = 5.0
PLACES = 4


@dataclass(frozen=True, kw_only=True)
class ImapOptions:
    """The mail server. `tls` is `tls`, `starttls` or `none`; `master` is whether it is told `user*master`."""

    host: str
    port: int
    tls: str
    ca_file: Path | None
    username: str
    password: str
    master: bool
    folder: str | None


class ImapDrafts:
    """ports.Drafts: one connection a draft."""

    def __init__(self, options: ImapOptions, *, deadline: float = DEADLINE) -> None:
        self._options = options
        self._aside = Aside(name="drafts", places=PLACES, deadline=deadline)
        # It writes what is said to the server into a log of its own.
        logging.getLogger("imapclient").setLevel(logging.CRITICAL + 1)

    async def put(self, login: str, content: bytes) -> str:
        """Put a draft into the folder of drafts of `login`; the folder's name. Raises NotPlaced."""
        # The star divides the names where there is a master; control characters divide commands everywhere.
        if not login or not login.isprintable() or "*" in login or " " in login:
            raise NotPlaced("the sender's login cannot be that of a mailbox")
        try:
            return await self._aside.run(lambda: self._put(login, content))
        except TimeoutError:
            raise NotPlaced("the mail server did not answer in time") from None
        except LoginError:
            raise NotPlaced("the mail server does not let the guard into the sender's mailbox") from None
        except IMAPClientError as error:
            # Not the error's text: it may repeat what was sent.
            raise NotPlaced(f"the mail server refused it ({type(error).__name__})") from None
        except ssl.SSLError as error:
            raise NotPlaced(f"the mail server cannot be trusted: {error.reason or 'TLS failed'}") from None
        except OSError as error:
            raise NotPlaced(
                f"the mail server cannot be reached: {error.strerror or type(error).__name__}"
            ) from None
        except NotPlaced:
            raise
        except Exception as error:  # noqa: BLE001  the message is stopped already, and its sender hears so
            # A login that the library cannot write, an answer that it cannot read.
            raise NotPlaced(f"the mail server was not understood ({type(error).__name__})") from None

    def _put(self, login: str, content: bytes) -> str:
        with self._mailbox(login) as mailbox:
            folder = self._options.folder or mailbox.find_special_folder(DRAFTS)
            if not folder:
                raise NotPlaced("the sender's mailbox has no folder of drafts")
            if not str(folder).isprintable():
                # Its name is told to people.
                raise NotPlaced("the folder of drafts has a name that cannot be written")
            mailbox.append(folder, content, flags=(DRAFT, SEEN))
            return str(folder)

    @contextmanager
    def _mailbox(self, login: str) -> Iterator[IMAPClient]:
        options = self._options
        context = ssl.create_default_context(cafile=options.ca_file)
        client = IMAPClient(
            options.host,
            port=options.port,
            ssl=options.tls == "tls",
            ssl_context=context if options.tls == "tls" else None,
            timeout=TIMEOUT,
        )
        try:
            if options.tls == "starttls":
                client.starttls(context)
            if options.master:
                client.login(f"{login}*{options.username}", options.password)
            else:
                client.plain_login(options.username, options.password, login)
            yield client
            with contextlib.suppress(IMAPClientError, OSError):
                client.logout()
        finally:
            with contextlib.suppress(IMAPClientError, OSError):
                client.shutdown()
