"""Approvers and admins in front of the page, those who may not, and what all pages keep to."""

import re
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.stage import DESK, PHONE, Stage
from tests.programs import require_node_module

KARL = "karl@customer.example"
PLACES = ("/", "/history", "/approvals", "/preferences", "/admin", "/admin/rules", "/admin/health")


def told(page: Page, text: str) -> None:
    """The page tells this."""
    expect(page.locator("[data-told]")).to_contain_text(text)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_an_approver_reads_and_decides(stage: Stage, scripts: bool) -> None:
    desk = "desk@newspaper.example"
    message = stage.hand_in(desk, subject="Results Q3", text="Up by 4 %.")
    other = stage.hand_in(desk, subject="Too early")
    with stage.page("bob", java_script_enabled=scripts) as page:
        expect(page.locator(".nav .tally")).to_have_text("2")
        page.get_by_role("link", name="Approvals").click()
        expect(page.locator(".hero")).to_have_count(2)
        expect(page.get_by_role("button", name="Stop it")).to_have_count(0)
        page.get_by_role("link", name="Results Q3").click()
        expect(page.locator(".letter")).to_have_text("Up by 4 %.")
        page.get_by_role("button", name="Let it go").click()
        told(page, "Approved.")
        assert stage.state(message) == "held"
        page.goto(f"/messages/{other}")
        page.get_by_label("Reason").fill("Not before Monday")
        page.get_by_role("button", name="Send it back").click()
        told(page, "It goes back to its sender with your reason.")
    assert stage.state(other) == "rejected"
    with stage.page("alice", f"/messages/{other}") as page:
        expect(page.locator("ol.history")).to_contain_text("“Not before Monday”")


def test_an_approval_is_of_what_was_read(stage: Stage) -> None:
    message = stage.hand_in("desk@newspaper.example", subject="Results")
    with stage.page("bob", f"/messages/{message}") as page:
        page.evaluate("document.querySelector('[name=seal]').value = 'another'")
        page.get_by_role("button", name="Let it go").click()
        told(page, "The message is not the one that you read")
    assert stage.state(message) == "approval"


def test_nobody_sees_or_stops_the_mail_of_others(stage: Stage) -> None:
    message = stage.hand_in(KARL, subject="Between us")
    with stage.page("chloe") as page:
        expect(page.get_by_text("Nothing is waiting")).to_be_visible()
        for place in (f"/messages/{message}", f"/messages/{message}/raw", f"/messages/{message}/html"):
            answer = page.request.get(place)
            assert answer.status == 404
            assert "Between us" not in answer.text()
        for place in ("/admin", "/admin/rules", "/admin/health"):
            assert page.request.get(place).status == 403
        csrf = page.locator("body").get_attribute("data-csrf") or ""
        for place in (f"/messages/{message}/cancel", "/admin/many", "/admin/reload"):
            form: dict[str, str | float | bool] = {"csrf": csrf, "id": message, "verb": "cancel"}
            page.request.post(place, form=form, headers={"Origin": stage.base})
    assert stage.state(message) == "held"


def test_an_admin_finds_and_stops_many(stage: Stage) -> None:
    hers = [stage.hand_in(KARL, subject=f"Campaign {n}") for n in range(3)]
    other = stage.hand_in(KARL, subject="Something else", login="chloe")
    with stage.page("root", "/admin", viewport=DESK) as page:
        expect(page.locator(".item")).to_have_count(4)
        page.get_by_role("searchbox").fill("campaign")
        page.get_by_role("button", name="Search").click()
        expect(page.locator(".item")).to_have_count(3)
        expect(page.get_by_role("button", name="Stop", exact=True)).to_be_hidden()
        page.get_by_label("Choose all").check()
        stage.ask("release", id=hers[0])
        stage.sink.wait(lambda one: b"Campaign 0" in one.content)
        page.get_by_role("button", name="Stop", exact=True).click()
        told(page, "2 messages stopped")
        told(page, "1 too late")
        page.goto("/admin?rule=external&state=any&q=else")
        expect(page.locator(".item")).to_have_count(1)
        page.goto("/admin?rule=press")
        expect(page.get_by_text("Nothing fits")).to_be_visible()
    assert [stage.state(one) for one in (*hers[1:], other)] == ["cancelled", "cancelled", "held"]


def test_an_admin_sees_what_is_wrong_with_the_rules(stage: Stage) -> None:
    file = stage.guard.directory / "rules.toml"
    good = file.read_text()
    try:
        file.write_text(good.replace('delay = "1h"', 'delay = "soon"', 1))
        with stage.page("root", "/admin/rules", viewport=DESK) as page:
            page.get_by_role("button", name="Read the rules again").click()
            told(page, "the old rules stay in force")
            expect(page.locator("pre.code")).to_contain_text("rules.toml:9")
            page.get_by_role("link", name="Health").click()
            expect(page.get_by_text("Not well")).to_be_visible()
            file.write_text(good)
            page.get_by_role("link", name="Rules").click()
            page.get_by_role("button", name="Read the rules again").click()
            told(page, "The rules were read and are in force")
            expect(page.locator("pre.code")).to_have_count(0)
    finally:
        file.write_text(good)
        stage.ask("reload")


FINDINGS = """async () => (await axe.run()).violations
    .filter(one => ["serious", "critical"].includes(one.impact))
    .map(one => `${one.id}: ${one.nodes.map(node => node.html).join(" | ").slice(0, 400)}`)"""


@pytest.mark.parametrize(("viewport", "locale"), [(DESK, "en-GB"), (PHONE, "fr-FR")], ids=["desk", "phone"])
def test_nothing_serious_for_readers_of_screens(stage: Stage, viewport: dict[str, int], locale: str) -> None:
    axe = (require_node_module("axe-core") / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    message = stage.hand_in(KARL, "robert@corp.example", subject="Contract", text="Please find attached it")
    stage.hand_in(KARL, subject="Offer")
    stage.hand_in("desk@newspaper.example", subject="Results")
    gone = stage.hand_in(KARL, subject="Stopped")
    stage.ask("cancel", id=gone)
    places = [*PLACES, f"/messages/{message}", f"/?did=cancel&id={gone}&told=done", "/messages/none"]
    how: dict[str, Any] = {"viewport": viewport, "locale": locale, "reduced_motion": "reduce"}
    found = {}
    for login, some in (("root", places), ("", ["/sign-in"])):
        with stage.context(login, **how) as context:
            page = context.new_page()
            for place in some:
                page.goto(place)
                expect(page.locator("html")).to_have_attribute("lang", locale[:2])
                page.evaluate(axe)
                for scheme in ("light", "dark"):
                    page.emulate_media(color_scheme=scheme)
                    if serious := page.evaluate(FINDINGS):
                        found[place, scheme] = serious
    assert found == {}
    stage.faults.clear()


HOSTILE = (
    "\"'><script>document.title='mine'</script><img src=x onerror=alert(1)>{{7*7}}\u202egnp.exe\x1b[31m\x07"
)


def test_no_field_of_a_hostile_message_runs_or_breaks_out(stage: Stage) -> None:
    encoded = f"=?utf-8?q?{''.join(f'={byte:02X}' for byte in HOSTILE.encode())}?="
    markup = "<script>document.title='mine'</script>"
    content = (
        f"From: {encoded} <alice@corp.example>\r\nTo: {encoded} <{KARL}>\r\nSubject: {encoded}\r\n"
        f"Message-ID: <{markup}@x>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
        f"--b\r\nContent-Type: text/html\r\n\r\n<p>x</p>{markup}"
        "<img src=http://127.0.0.1:9/x onerror=alert(1)><a href='javascript:alert(1)'>press</a>\r\n"
        f"--b\r\nContent-Type: text/plain\r\n\r\n{HOSTILE.split(chr(27), maxsplit=1)[0]}\r\n"
        f"--b\r\nContent-Type: application/x\r\nContent-Disposition: attachment; filename*=utf-8''"
        f"{''.join(f'%{byte:02X}' for byte in HOSTILE.encode())}\r\n\r\nx\r\n--b--\r\n"
    ).encode()
    odd = '"<b>x</b>"@customer.example'
    message = stage.hand_in(odd, KARL, content=content)
    requests: list[str] = []
    with stage.context("root", viewport=DESK) as context:
        page = context.new_page()
        page.on("request", lambda request: requests.append(request.url))
        for place in ("/admin", f"/messages/{message}", f"/messages/{message}?as=html", "/admin?q=%3Cscript"):
            page.goto(place)
            assert page.title() != "mine"
            assert page.locator("main script, main img, main b:not(.number b)").count() == 0, place
            assert "49" not in page.locator("main h2.subject, main .item .subject").all_text_contents()
            assert not re.search("[\u202e\x1b\x07]", page.content()), place
        frame = page.goto(f"/messages/{message}/html")
        assert frame
        assert "sandbox" in frame.headers["content-security-policy"]
        assert page.locator("script, img, a[href]").count() == 0
        assert frame.headers["x-content-type-options"] == "nosniff"
        raw = page.request.get(f"/messages/{message}/raw")
        assert raw.headers["content-type"] == "application/octet-stream"
        assert raw.headers["content-disposition"].startswith("attachment")
    assert {urlsplit(url).netloc for url in requests} == {urlsplit(stage.base).netloc}


def test_a_scanner_that_opens_every_link_and_runs_scripts_changes_nothing(stage: Stage) -> None:
    messages = [stage.hand_in(KARL, subject="One"), stage.hand_in("desk@newspaper.example", subject="Two")]
    before = [stage.message(one) for one in messages]
    seen: set[str] = set()
    with stage.context("root") as context:
        page = context.new_page()
        waiting = [
            "/",
            "/admin",
            f"/messages/{messages[0]}/cancel",
            f"/?did=cancel&id={messages[0]}&told=done",
        ]
        while waiting:
            place = waiting.pop()
            if place in seen or place.endswith("/raw"):
                continue
            seen.add(place)
            page.goto(place, wait_until="load")
            for link in page.eval_on_selector_all("a[href]", "all => all.map(one => one.href)"):
                if urlsplit(link).netloc == urlsplit(stage.base).netloc:
                    parts = urlsplit(urljoin(page.url, link))
                    waiting.append(parts.path + (f"?{parts.query}" if parts.query else ""))
    assert len(seen) > 10
    assert [stage.message(one) for one in messages] == before
    # A form is not fetched with GET; that the page says so is no fault.
    stage.faults.clear()


def test_every_page_is_shut_to_everything_from_elsewhere(stage: Stage) -> None:
    with stage.page("root") as page:
        for place in PLACES:
            headers = page.request.get(place).headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert headers["cache-control"] == "no-store"
            text = page.request.get(place).text()
            assert not re.search(
                r"\son[a-z]+=|\sstyle=|<style|<script(?! type=\"module\" src=\"/static/)", text
            )
            outside = re.findall(r'(?:src|href|action)="(?!/|\?|#)[^"]*"', text)
            assert outside == []
        style = page.locator("link[rel=stylesheet]").get_attribute("href") or ""
        assert "immutable" in page.request.get(style).headers["cache-control"]
        assert page.request.get("/static/0/page.css").status == 404


def test_a_page_that_nobody_sees_asks_for_nothing(stage: Stage) -> None:
    with stage.context("alice", viewport=PHONE) as context:
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(urlsplit(request.url).path))
        page.goto("/")
        expect(page.locator("[data-lamp]")).to_have_attribute("data-live", "on")
        page.evaluate(
            """() => { Object.defineProperty(document, "hidden", { value: true, configurable: true });
            document.dispatchEvent(new Event("visibilitychange")); }"""
        )
        asked.clear()
        stage.hand_in(KARL)
        page.wait_for_timeout(600)
        assert asked == []
        page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
        expect(page.locator(".hero")).to_be_visible()
