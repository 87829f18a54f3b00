"""Makes the pictures of docs/howto from the page as it is: `python -m tests.browser.screenshots`."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests import sink as sinks
from tests.browser import stage as stages
from tests.browser.stage import DESK, PHONE, Stage
from tests.programs import find

HOWTO = Path(__file__).parent.parent.parent / "docs" / "howto"
# Sharp on a good screen, and still small.
SCALE = 1.5
KARL, SAM = "karl.steele@customer.example", "sam.weber@corp.example"
WORDS = {
    "en": {
        "stop": "Stop it",
        "told": "Stopped.",
        "more": "More time",
        "subject": "Where we can save",
        "text": "Hello Robert,\n\nas discussed, two positions less in the spring.\n\nAlice\n",
        "offer": "Offer 2026-118, revised",
    },
    "fr": {
        "stop": "L\u2019arrêter",
        "told": "Arrêté.",
        "more": "Plus de temps",
        "subject": "Où nous pouvons économiser",
        "text": "Bonjour Robert,\n\ncomme convenu, deux postes de moins au printemps.\n\nAlice\n",
        "offer": "Offre 2026-118, révisée",
    },
}
RULES = """
internal_domains = ["corp.example"]
margin = "0s"
notify = "never"

[[rule]]
name = "external"
when = { to = "external" }
delay = "5m"

[checks]
greeting_mismatch = { action = "delay", delay = "1m" }
"""


def main() -> int:
    """Make all of them, in both languages."""
    chromium = find("chromium")
    if chromium is None:
        sys.stderr.write("Chromium is not installed (apt install chromium)\n")
        return 1
    with (
        tempfile.TemporaryDirectory() as directory,
        sinks.running() as sink,
        sync_playwright() as playwright,
        stages.set_up(Path(directory), sink, playwright, chromium, rules=RULES) as stage,
    ):
        for language in WORDS:
            _in_language(stage, language)
    return 0


def _in_language(stage: Stage, language: str) -> None:
    say = WORDS[language]
    for message in stage.ask("queue")["messages"]:
        stage.ask("cancel", id=message["id"])
    first = stage.hand_in(KARL, SAM, subject=say["subject"], text=say["text"])
    stage.hand_in("m.dupont@client.example", subject=say["offer"], text="-")
    with stage.page("alice", locale=language, viewport=PHONE, device_scale_factor=SCALE) as page:
        expect(page.locator(".hero")).to_contain_text(say["subject"])
        _take(page, f"queue.{language}")
        page.get_by_text(say["more"]).first.click()
        _take(page, f"more-time.{language}")
        page.keyboard.press("Escape")
        page.get_by_role("button", name=say["stop"]).first.click()
        expect(page.locator("[data-told]")).to_contain_text(say["told"])
        page.mouse.move(0, 0)
        _take(page, f"stopped.{language}")
    stage.ask("restore", id=first)
    with stage.page("alice", f"/messages/{first}", locale=language, viewport=DESK) as page:
        page.mouse.move(0, 0)
        _take(page, f"message.{language}")


def _take(page: Page, name: str) -> None:
    # Whatever moves has come to rest.
    page.wait_for_timeout(400)
    page.screenshot(path=HOWTO / f"{name}.png", animations="disabled")


if __name__ == "__main__":
    sys.exit(main())
