"""A real guard with a page, mail that is really handed in, and a real browser that looks at it."""

import re
import smtplib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Dialog, Page, Playwright, expect

from mailguard.edge.clock import SystemClock
from mailguard.edge.control_client import SOCKET, ask
from mailguard.edge.links import PURPOSE, SignedLinks
from mailguard.edge.secret import Secret
from tests import guard as guards
from tests import making
from tests.guard import PASSWORD, Guard
from tests.sink import Sink

RULES = """
internal_domains = ["corp.example"]
margin = "0s"
notify = "never"

[[rule]]
name = "external"
when = { to = "external" }
delay = "1h"

[[rule]]
name = "at once"
when = { to = "@soon.example" }
delay = "0s"
exempts = ["external"]

[[rule]]
name = "press"
when = { to = "@newspaper.example" }
action = "approve"
approvers = ["bob@corp.example"]

[checks]
first_contact = { action = "off" }
greeting_mismatch = { action = "off" }
forgotten_attachment = { action = "confirm" }
"""
# alice is there already; root is an admin.
LOGINS = ("bob", "chloe", "root")
CHROMIUM = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}


def letter(sender: str, to: Sequence[str], subject: str, text: str = "Hello", html: str = "") -> EmailMessage:
    """A mail, as a mail program makes it."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, ", ".join(to), subject
    made.set_content(text)
    if html:
        made.add_alternative(html, subtype="html")
    return made


@dataclass(kw_only=True)
class Stage:
    """`faults` is what browsers complained about: errors of scripts, and what was kept from loading."""

    guard: Guard
    sink: Sink
    browser: Browser
    states: dict[str, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @property
    def base(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.guard.web_port}"

    def hand_in(
        self,
        *to: str,
        subject: str = "Offer",
        text: str = "Hello",
        login: str = "alice",
        html: str = "",
        bcc: Sequence[str] = (),
        content: bytes = b"",
    ) -> str:
        """Somebody sends a mail; its id here."""
        sender = f"{login}@corp.example"
        made = content or letter(sender, to, subject, text, html).as_bytes(policy=SMTP)
        with smtplib.SMTP("127.0.0.1", self.guard.port, timeout=30) as session:
            session.starttls()
            session.login(login, PASSWORD)
            session.mail(sender)
            for one in (*to, *bcc):
                assert session.rcpt(one)[0] == 250, one
            code, answer = session.data(made)
        assert code == 250, answer
        found = re.search(rb"as (\w+)", answer)
        assert found, answer
        return found[1].decode()

    def ask(self, verb: str, **request: object) -> dict[str, Any]:
        """What the guard's own command line would hear, as the admin of the machine."""
        return dict(ask(self.guard.directory / "state" / SOCKET, {"verb": verb, **request}))

    def message(self, message_id: str) -> dict[str, Any]:
        """How a message stands."""
        return dict(self.ask("show", id=message_id)["message"])

    def state(self, message_id: str) -> str:
        """Its state."""
        return str(self.message(message_id)["state"])

    def link(self, message_id: str) -> str:
        """The link of a notice that stops alice's message."""
        key = Secret.open(self.guard.directory / "state").derive(PURPOSE)
        links = SignedLinks(key, public_url=self.base, clock=SystemClock())
        held = replace(making.message(), id=message_id, user="alice", sender="alice@corp.example")
        return links.of(held, held.sender).cancel

    @contextmanager
    def context(self, login: str = "", **how: Any) -> Iterator[BrowserContext]:
        """A browser of its own, signed in where there is a login; a telephone unless told otherwise."""
        how.setdefault("viewport", PHONE)
        if login:
            how["storage_state"] = self._state_of(login)
        context = self.browser.new_context(base_url=self.base, **how)
        context.set_default_timeout(8000)
        context.on("page", self._watch)
        try:
            yield context
        finally:
            context.close()

    @contextmanager
    def page(self, login: str = "", where: str = "/", **how: Any) -> Iterator[Page]:
        """A page that is open at this place."""
        with self.context(login, **how) as context:
            page = context.new_page()
            page.goto(where)
            yield page

    def _state_of(self, login: str) -> Any:
        if login not in self.states:
            context = self.browser.new_context(base_url=self.base)
            page = context.new_page()
            page.goto("/sign-in")
            page.get_by_label("Login").fill(login)
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            expect(page.locator(".who")).to_have_text(login)
            self.states[login] = context.storage_state()
            context.close()
        return self.states[login]

    def _dialog(self, dialog: Dialog) -> None:
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda said: self.faults.append(said.text) if said.type == "error" else None)
        page.on("dialog", self._dialog)


@contextmanager
def set_up(
    directory: Path, sink: Sink, playwright: Playwright, chromium: str, rules: str = RULES
) -> Iterator[Stage]:
    """The guard is running and the browser open, for as long as the context lasts."""
    upstream = guards.smtp_upstream(sink.port)
    guard = guards.configured(directory, upstream, rules=rules, web="\n")
    for login in LOGINS:
        guard.welcome(login, PASSWORD)
    guard.start()
    browser = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM))
    try:
        yield Stage(guard=guard, sink=sink, browser=browser)
    finally:
        browser.close()
        code = guard.stop()
    assert code == 0, guard.log()
