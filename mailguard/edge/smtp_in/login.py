"""AUTH PLAIN and LOGIN (RFC 4954, RFC 4616), and what a wrong password costs."""

from base64 import b64decode
from binascii import Error as Base64Error

from mailguard.core.account import Account
from mailguard.core.reply import Reply
from mailguard.edge.smtp_in.connection import LONGEST_LINE, OVERLONG, Connection
from mailguard.flow.guessing import MOST_DOUBLINGS, judged
from mailguard.ports import Accounts

MECHANISMS = (b"PLAIN", b"LOGIN")
# Outlook compares the prompts letter by letter: base64 of "Username:" and of "Password:".
USERNAME = b"334 VXNlcm5hbWU6"
PASSWORD = b"334 UGFzc3dvcmQ6"


class BrokenExchangeError(Exception):
    """The client's half of the exchange is no valid SASL response, or it gave up."""


class Login(Connection):
    """A session in which somebody may log in; `_account` says who did."""

    _account: Account | None = None
    _auth_failures = 0

    @property
    def stranger(self) -> bool:
        """Whether nobody has logged in, and the client is from no trusted network."""
        return self._account is None and super().stranger

    def _may_log_in(self) -> bool:
        """Whether a password may be sent on this connection."""
        reception = self._reception
        if reception.accounts is None:
            return False
        in_house = self._peer.loopback and reception.tls is None
        return self._tls or in_house or reception.options.auth_without_tls

    async def _log_in(self, argument: bytes) -> None:
        """A step: check whether AUTH is in order now, have the exchange, and judge what came of it."""
        accounts = self._reception.accounts
        if accounts is None:
            self._say(b"502 5.5.1 Nobody can log in here")
            return
        if refusal := self._auth_refusal():
            self._say(refusal)
            return
        words = argument.split()
        if not 1 <= len(words) <= 2:
            self._say(b"501 5.5.4 Syntax: AUTH mechanism [initial-response]")
            return
        mechanism = words[0].upper()
        if mechanism not in MECHANISMS:
            self._say(b"504 5.5.4 Only PLAIN and LOGIN are offered")
            return
        initial = words[1] if len(words) == 2 else None
        try:
            exchange = self._plain if mechanism == b"PLAIN" else self._login
            login, password = await exchange(initial)
        except BrokenExchangeError as error:
            self._say(str(error).encode("ascii"))
            return
        await self._judge(accounts, login, password)

    def _auth_refusal(self) -> Reply | None:
        if self._account is not None:
            return Reply(code=503, status="5.5.1", text="Already logged in")
        if self.envelope is not None:
            return Reply(code=503, status="5.5.1", text="Not in the middle of a message")
        if not self._may_log_in():
            return Reply(
                code=538, status="5.7.11", text="Passwords are taken over TLS only: send STARTTLS first"
            )
        return None

    async def _plain(self, initial: bytes | None) -> tuple[str, str]:
        response = initial if initial is not None else await self._ask(b"334 ")
        words = _decoded(response).split("\x00")
        if len(words) != 3:
            raise BrokenExchangeError("501 5.5.2 The response is no PLAIN response")
        authorize, login, password = words
        if authorize not in ("", login):
            # Nobody may act for another; an empty password is always wrong.
            return login, ""
        return login, password

    async def _login(self, initial: bytes | None) -> tuple[str, str]:
        login = _decoded(initial if initial is not None else await self._ask(USERNAME))
        return login, _decoded(await self._ask(PASSWORD))

    async def _ask(self, challenge: bytes) -> bytes:
        self._say(challenge)
        line = await self._read_line()
        if line == OVERLONG or not line.endswith(b"\r\n"):
            raise BrokenExchangeError(f"500 5.5.6 A response has at most {LONGEST_LINE} octets, then CRLF")
        if line == b"*\r\n":
            raise BrokenExchangeError("501 5.7.0 Authentication cancelled")
        return line[:-2]

    async def _judge(self, accounts: Accounts, login: str, password: str) -> None:
        found = await judged(self._reception.guessing, accounts, login, password, self._peer.network)
        if not found.heard:
            self._dismiss(_too_many())
        elif found.account is None:
            # What was typed as a login may be a password: only the name of a real account is logged.
            known = await accounts.account(login)
            await self._refuse_login(found.doublings, known.login if known else None)
        else:
            self._account = found.account
            self.session.authenticated = True
            self._say(b"235 2.7.0 Logged in")

    async def _refuse_login(self, doublings: int, user: str | None) -> None:
        reception = self._reception
        self._auth_failures += 1
        failures = reception.guessing.from_network(self._peer.network)
        reception.log.event("login_failed", peer=self._peer.address, user=user, failures=failures)
        doublings = min(max(self._auth_failures - 1, doublings), MOST_DOUBLINGS)
        await reception.clock.sleep(reception.options.auth_delay.total_seconds() * 2**doublings)
        if self._auth_failures >= reception.options.max_auth_failures:
            self._dismiss(_too_many())
        else:
            self._say(b"535 5.7.8 Login or password is wrong")


def _too_many() -> Reply:
    return Reply(code=421, status="4.7.0", text="Too many wrong passwords, try again later")


def _decoded(response: bytes) -> str:
    """RFC 4954 section 4: base64; "=" stands for an empty initial response."""
    if response == b"=":
        return ""
    try:
        return b64decode(response, validate=True).decode("utf-8")
    except (Base64Error, UnicodeDecodeError):
        raise BrokenExchangeError("501 5.5.2 The response is not valid base64") from None
