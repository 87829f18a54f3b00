"""The table of faults: one row for each, with what a sender is shown and what arrives."""

import ssl
from dataclasses import dataclass

from tests.upstream.certificates import Certificates
from tests.upstream.proxy import BEFORE, BEHIND, BYTEWISE, HANG_UP, RESET, SILENCE, SLOW, Fault

LATER, SENT, FAILED = "deferred", "sent", "failed"
PLAIN = ("8BITMIME", "SMTPUTF8", "DSN", "SIZE 1000000")
ALL = ("PIPELINING", *PLAIN)
STARTTLS = (*ALL, "STARTTLS")


@dataclass(frozen=True, kw_only=True)
class Row:
    """`stage` and `steps` are the fault. After it, each recipient is in `states` (one for all), and `reason`
    stands in what `show` says of it. `copies` of the message have arrived when the fault is over and the time
    for the next try has come; more than one only where the history says `twice`."""

    name: str
    stage: str = ""
    steps: tuple[str, ...] = ()
    states: str | tuple[str, ...] = LATER
    reason: str
    copies: int = 1
    twice: bool = False
    offers: tuple[str, ...] | None = None
    tls: str = "none"
    certificate: str = ""
    login: bool = False
    body: bytes = b""
    delivers: bool = True

    def fault(self, certificates: Certificates) -> Fault:
        """As the proxy wants it."""
        context: ssl.SSLContext | None = None
        if self.tls != "none" and self.certificate != "none":
            context = certificates.server(self.certificate)
        return Fault(
            steps={self.stage: self.steps} if self.stage else {},
            offers=self.offers
            or (STARTTLS if self.tls == "starttls" else ("AUTH PLAIN",) if self.login else None),
            context=context,
            at_once=self.tls == "tls" and context is not None,
            delivers=self.delivers,
        )


def row(name: str, stage: str, step: str | tuple[str, ...], reason: str, **more: object) -> Row:
    """A row whose fault is at one stage."""
    steps = (step,) if isinstance(step, str) else step
    return Row(name=name, stage=stage, steps=steps, reason=reason, **more)  # type: ignore[arg-type]


LARGE = (b"x" * 60_000 + b"\r\n") * 90

SESSION = (
    row("reset at connect", "CONNECT", RESET, "No session with 127.0.0.1"),
    row("hung up at connect", "CONNECT", HANG_UP, "No session with 127.0.0.1"),
    row("silent at connect", "CONNECT", SILENCE, "No session with 127.0.0.1"),
    row("reset instead of a banner", "BANNER", RESET, "No session"),
    row("silent instead of a banner", "BANNER", SILENCE, "No session"),
    row("banner 421", "BANNER", "421 4.3.2 closed for the night", "421 4.3.2 closed for the night"),
    row("banner 554", "BANNER", "554 5.3.2 not you", "554 5.3.2 not you"),
    row("banner byte by byte", "BANNER", BYTEWISE, "250 2.0.0", states=SENT),
    row("banner late", "BANNER", SLOW, "250 2.0.0", states=SENT),
    row("banner of 10 kB", "BANNER", "220 " + "x" * 10_000, "No session"),
    row("banner is no SMTP", "BANNER", "SSH-2.0-OpenSSH_9.2", "No session"),
    row("reset at EHLO", "EHLO", RESET, "No session"),
    row("silent at EHLO", "EHLO", SILENCE, "No session"),
    row("EHLO 421", "EHLO", "421 4.7.0 too many connections", "421 4.7.0 too many connections"),
    row("EHLO busy is no reason to send less", "EHLO", "451 4.3.0 busy", "451 4.3.0 busy"),
    row("a greeting of LMTP", "EHLO", ("500 5.5.1 LHLO first",), "250 2.0.0", states=SENT),
    row("EHLO without an end", "EHLO", "250-x\r\n" * 20_000, "No session"),
    row("AUTH refused", "AUTH", "535 5.7.8 wrong", "did not take the login 'guard': 535", login=True),
    row("AUTH put off", "AUTH", "454 4.7.0 database down", "454 4.7.0 database down", login=True),
    row("reset at AUTH", "AUTH", RESET, "No session", login=True),
    row("silent at AUTH", "AUTH", SILENCE, "No session", login=True),
    Row(name="AUTH not offered", reason="AUTH extension is not supported", login=True, offers=ALL),
)
ENCRYPTION = (
    Row(name="STARTTLS stripped", tls="starttls", offers=ALL, reason="does not offer STARTTLS"),
    row("STARTTLS 454", "STARTTLS", "454 4.7.0 no TLS now", "454 4.7.0 no TLS now", tls="starttls"),
    row("STARTTLS 502", "STARTTLS", "502 5.5.1 what?", "502 5.5.1 what?", tls="starttls"),
    row("reset at STARTTLS", "STARTTLS", RESET, "did not start encryption", tls="starttls"),
    row("silent at STARTTLS", "STARTTLS", SILENCE, "did not start encryption", tls="starttls"),
    row(
        "words put behind STARTTLS",
        "STARTTLS",
        BEHIND + "250-evil.test\r\n250 AUTH PLAIN\r\n",
        "somebody may be in between",
        tls="starttls",
    ),
    Row(name="garbage for TLS", tls="starttls", certificate="none", reason="No session"),
    *(
        Row(name=f"{certificate} certificate, {tls}", tls=tls, certificate=certificate, reason=reason)
        for tls in ("starttls", "tls")
        for certificate, reason in (
            ("expired", "its certificate is not trusted: certificate has expired"),
            ("misnamed", "its certificate is not trusted: IP address mismatch"),
            ("self-signed", "its certificate is not trusted: self"),
            ("stranger's", "its certificate is not trusted: unable to get local issuer"),
            ("TLS 1.0", "No session with"),
        )
    ),
)


def _stage(stage: str, *, twice: bool = False) -> tuple[Row, ...]:
    """What can happen at any command of a transaction."""
    lost = 2 if twice else 1
    return (
        row(f"reset at {stage}", stage, RESET, "broke off", twice=twice, copies=lost),
        row(f"hung up at {stage}", stage, HANG_UP, "broke off", twice=twice, copies=lost),
        row(f"silent at {stage}", stage, SILENCE, "did not answer in time", twice=twice, copies=lost),
        row(f"{stage} 451", stage, "451 4.3.0 busy", "451 4.3.0 busy"),
        row(f"{stage} 421", stage, "421 4.3.2 going down", "421 4.3.2 going down"),
        row(f"{stage} 451 4.7.1", stage, "451 4.7.1 too fast", "451 4.7.1 too fast"),
        row(f"{stage} 550", stage, "550 5.7.1 no", "550 5.7.1 no", states=FAILED, copies=0),
        row(f"{stage} in two lines", stage, "451-4.3.0 one\r\n451 two", "451 4.3.0 one two"),
        row(f"{stage} late", stage, SLOW, "250 2.0.0", states=SENT),
        row(f"{stage} byte by byte", stage, BYTEWISE, "250 2.0.0", states=SENT),
        row(
            f"{stage} with escapes",
            stage,
            "451 4.3.0 \x1b[31mred\x07 \x00é\udcff",
            "451 4.3.0 [31mred é",
        ),
    )


def _nonsense(stage: str) -> tuple[Row, ...]:
    reason = "broke off"
    return (
        row(f"{stage}: two codes in a reply", stage, "451-a\r\n250 b", reason),
        row(f"{stage}: 10 kB in a line", stage, "451 " + "x" * 10_000, reason),
        row(f"{stage}: no end of lines", stage, "451-x\r\n" * 20_000, reason),
    )


ENVELOPE = (*_stage("MAIL"), *_nonsense("MAIL"), *_stage("RCPT"), *_nonsense("RCPT"))
MESSAGE = (
    *_stage("DATA"),
    *_nonsense("DATA"),
    *_stage("DOT", twice=True),
    row("DATA answered by 250", "DATA", BEFORE + "250 2.0.0 fine", "broke off"),
    row("a yes before the message", "DATA", BEHIND + "250 2.0.0 have it", "before the message had ended"),
    row(
        "a no before the message", "DATA", BEHIND + "552 5.3.4 too big", "552 5.3.4", states=FAILED, copies=0
    ),
    row("a yes that comes too early", "MAIL", BEHIND + "250 2.0.0 fine", "broke off"),
    row("goodbye behind the yes", "DOT", BEHIND + "421 4.4.2 bye", "250 2.0.0", states=SENT),
    row("sequence lost", "RCPT", "503 5.5.1 MAIL first", "503 5.5.1 MAIL first"),
    row(
        "reset in a small message",
        "BODY",
        RESET,
        "may have arrived",
        # Nobody can know that the dot, sent with the rest, was not read any more.
        twice=True,
        body=b"x" * 200 + b"\r\n",
    ),
    row("reset in a large message", "BODY", RESET, "broke off", body=LARGE),
    row("silent in a large message", "BODY", SILENCE, "did not answer in time", body=LARGE),
    row("lost before the server had the dot", "DOT", HANG_UP, "may have arrived", twice=True, delivers=False),
)
OFFERS = (
    Row(
        name="size too small",
        offers=("SIZE 9000",),
        body=b"x" * 10_000 + b"\r\n",
        reason="takes 9000 bytes at most",
        states=FAILED,
        copies=0,
    ),
    Row(
        name="no 8BITMIME",
        offers=("DSN",),
        body="é\r\n".encode(),
        reason="5.6.3",
        states=FAILED,
        copies=0,
    ),
    Row(name="no PIPELINING", offers=PLAIN, reason="250 2.0.0", states=SENT),
    Row(name="nothing at all", offers=("HELP",), reason="250 2.0.0", states=SENT),
)
RECIPIENTS = (
    row(
        "yes, later, never",
        "RCPT",
        ("", "450 4.2.0 grey", "550 5.1.1 gone"),
        "5.1.1 gone",
        states=(SENT, LATER, FAILED),
        # One transaction for the first, and one for the second when its time has come.
        copies=2,
    ),
    row("all of them later", "RCPT", ("450 4.2.0 grey",) * 3, "450 4.2.0 grey", states=(LATER,) * 3),
    row(
        "too many, in the old words",
        "RCPT",
        ("", "552 too many", "552 too many"),
        "552 too many",
        states=(SENT, LATER, LATER),
        copies=2,
    ),
    row(
        "421 among them",
        "RCPT",
        ("", "421 4.3.2 bye"),
        "421 4.3.2 bye",
        states=(LATER,) * 3,
    ),
)
# Where mail could be lost, read by others, or sent twice.
GRAVEST = frozenset(
    {
        "reset at connect",
        "banner 421",
        "EHLO busy is no reason to send less",
        "AUTH refused",
        "STARTTLS stripped",
        "STARTTLS 454",
        "words put behind STARTTLS",
        "expired certificate, starttls",
        "misnamed certificate, tls",
        "stranger's certificate, starttls",
        "MAIL 451 4.7.1",
        "silent at RCPT",
        "RCPT 421",
        "reset at DATA",
        "DATA: two codes in a reply",
        "reset at DOT",
        "silent at DOT",
        "DOT 451",
        "DOT 550",
        "DOT with escapes",
        "a yes before the message",
        "a no before the message",
        "silent in a large message",
        "lost before the server had the dot",
        "size too small",
        "no 8BITMIME",
        "yes, later, never",
        "421 among them",
    }
)
ROWS = (*SESSION, *ENCRYPTION, *ENVELOPE, *MESSAGE, *OFFERS, *RECIPIENTS)
