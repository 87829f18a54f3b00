"""A sender who noticed a second too late, in front of the page."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.stage import DESK, PHONE, Stage

KARL, ROBERT = "karl@customer.example", "robert@corp.example"


def told(page: Page, text: str) -> None:
    """The page tells this."""
    expect(page.locator("[data-told]")).to_contain_text(text)


def seconds(clock: str) -> int:
    """What a clock shows."""
    return sum(int(part) * 60**place for place, part in enumerate(reversed(clock.split(":"))))


def calm(page: Page, scripts: bool = True) -> None:
    """As long as a person looks before the next press; the page takes a faster one for a slip."""
    if scripts:
        page.wait_for_timeout(720)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_stop_it_and_take_it_back(stage: Stage, scripts: bool) -> None:
    to = "karl.scripted@customer.example" if scripts else "karl@plain.example"
    message = stage.hand_in(to, subject="Cost cuts")
    with stage.page("alice", java_script_enabled=scripts) as page:
        expect(page).to_have_title("(1) Queue · mailguard")
        expect(page.locator(".hero")).to_contain_text("Cost cuts")
        page.get_by_role("button", name="Stop it").click()
        told(page, f"Stopped. It will never go to {to}.")
        assert stage.state(message) == "cancelled"
        expect(page.get_by_text("Nothing is waiting")).to_be_visible()
        calm(page, scripts)
        page.get_by_role("button", name="Undo").click()
        told(page, "It is held again.")
        assert stage.state(message) == "held"
        expect(page.locator(".hero .count")).to_have_text(re.compile(r"1:00:00|59:\d\d"))
    assert all(to not in one.recipients for one in stage.sink.deliveries)


def test_who_presses_twice_in_a_hurry_stops_one_message(stage: Stage) -> None:
    first = stage.hand_in(KARL, subject="First")
    second = stage.hand_in(KARL, subject="Second")
    with stage.page("alice") as page:
        button = page.get_by_role("button", name="Stop it").first.bounding_box()
        assert button
        x, y = button["x"] + button["width"] / 2, button["y"] + button["height"] / 2
        for _ in range(6):
            page.mouse.click(x, y, delay=5)
            page.wait_for_timeout(40)
        told(page, "Stopped.")
    assert (stage.state(first), stage.state(second)) == ("cancelled", "held")


def test_drop_the_one_wrong_recipient(stage: Stage) -> None:
    message = stage.hand_in(KARL, ROBERT)
    with stage.page("alice") as page:
        expect(page.locator(".hero .chip", has_text=KARL)).to_contain_text("outside")
        expect(page.locator(".hero .chip", has_text=ROBERT)).not_to_contain_text("outside")
        page.get_by_role("button", name=f"drop {KARL}").click()
        told(page, f"It will not go to {KARL}. The rest goes on.")
    states = {one["address"]: one["state"] for one in stage.message(message)["recipients"]}
    assert states == {KARL: "dropped", ROBERT: "waiting"}


def test_send_now(stage: Stage) -> None:
    stage.hand_in("now@customer.example", subject="Now")
    with stage.page("alice") as page:
        page.get_by_role("button", name="Send now").click()
        told(page, "It is on its way out now.")
        stage.sink.wait(lambda one: one.recipients == ("now@customer.example",))


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_more_time_and_a_clock_that_stands_still(stage: Stage, scripts: bool) -> None:
    message = stage.hand_in(KARL)
    before = stage.message(message)["release_at"]
    with stage.page("alice", java_script_enabled=scripts, timezone_id="Pacific/Auckland") as page:
        page.get_by_text("More time").click()
        page.get_by_role("button", name="30 more minutes").click()
        told(page, "It waits until")
        assert stage.message(message)["release_at"] > before
        calm(page, scripts)
        page.get_by_role("button", name="Stop the clock").click()
        told(page, "The clock is stopped.")
        assert stage.state(message) == "frozen"
        calm(page, scripts)
        page.get_by_role("button", name="Start the clock").click()
        told(page, "The clock runs again.")
        calm(page, scripts)
        page.get_by_text("More time").click()
        page.get_by_label("Until").fill("2020-01-01T10:00")
        page.get_by_role("button", name="Wait", exact=True).click()
        told(page, "That time cannot be used")


def test_yes_i_meant_it(stage: Stage) -> None:
    message = stage.hand_in(KARL, subject="Contract", text="Please find attached the contract.")
    with stage.page("alice") as page:
        expect(page.locator(".hero")).to_contain_text("Waits for your yes")
        expect(page.locator(".hero .reason.warning")).to_contain_text("nothing is")
        page.get_by_role("button", name="Yes, I meant it").click()
        told(page, "Thank you.")
    assert stage.state(message) == "held"


def test_too_late_tells_what_left_to_whom(stage: Stage) -> None:
    message = stage.hand_in(KARL, ROBERT)
    with stage.page("alice") as page:
        stage.ask("release", id=message)
        stage.sink.wait(lambda one: KARL in one.recipients and ROBERT in one.recipients)
        while stage.state(message) != "sent":
            page.wait_for_timeout(20)
        # The page of a moment ago, pressed in good faith.
        page.evaluate(
            """id => { const form = document.createElement("form"); form.method = "post";
            form.action = `/messages/${id}/cancel`; const field = document.createElement("input");
            field.name = "csrf"; field.value = document.body.dataset.csrf; form.append(field);
            document.body.append(form); form.submit(); }""",
            message,
        )
        told(page, "Too late")
        told(page, f"It left to {KARL} on")
        expect(page.get_by_role("button", name="Undo")).to_have_count(0)


def test_two_tabs_and_one_winner(stage: Stage) -> None:
    message = stage.hand_in("race@customer.example")
    with stage.context("alice") as context:
        one, other = context.new_page(), context.new_page()
        for page in (one, other):
            # Frozen as a tab in the background is: it knows nothing of what the other does.
            page.route("**/live", lambda route: route.abort())
            page.goto("/")
        one.get_by_role("button", name="Stop it").click()
        told(one, "Stopped.")
        other.get_by_role("button", name="Send now").click()
        told(other, "That is not possible now")
        told(other, "cancelled")
        stage.faults.clear()
    assert stage.state(message) == "cancelled"


def test_what_happens_elsewhere_shows_by_itself(stage: Stage) -> None:
    with stage.page("alice", viewport=DESK) as page:
        expect(page.locator("[data-lamp]")).to_have_attribute("data-live", "on")
        expect(page.get_by_text("Nothing is waiting")).to_be_visible()
        message = stage.hand_in(KARL, subject="From the telephone")
        expect(page.locator(".hero")).to_contain_text("From the telephone")
        expect(page).to_have_title("(1) Queue · mailguard")
        stage.ask("cancel", id=message)
        expect(page.get_by_text("Nothing is waiting")).to_be_visible()


def test_the_clock_is_the_guards_whatever_this_machine_thinks(stage: Stage) -> None:
    stage.hand_in(KARL)
    with stage.context("alice") as context:
        page = context.new_page()
        page.clock.install(time="2031-05-05T05:05:05Z")
        page.goto("/")
        count = page.locator(".hero .count")
        # Some of the hour may have gone on a machine that is busy, but not much.
        expect(count).to_have_text(re.compile(r"^(1:00:00|59:\d\d)$"))
        before = seconds(count.inner_text())
        # Less than the minute after which the page asks the guard again.
        page.clock.run_for(30_000)
        assert 29 <= before - seconds(count.inner_text()) <= 60


def test_the_sender_reads_the_message_before_deciding(stage: Stage) -> None:
    html = "<p>Dear <b>Madame</b>, <script>document.title='mine'</script></p>"
    message = stage.hand_in(KARL, text="Dear Madame", html=html, bcc=[ROBERT])
    with stage.page("alice", f"/messages/{message}") as page:
        expect(page.locator(".letter")).to_have_text("Dear Madame")
        expect(page.locator("#recipients li", has_text=ROBERT)).to_contain_text("Bcc")
        expect(page.locator(".history li").first).to_contain_text("Taken from alice")
        page.get_by_role("link", name="Show as HTML").click()
        frame = page.frame_locator("iframe")
        expect(frame.locator("b")).to_have_text("Madame")
        expect(page).to_have_title("Offer · mailguard")
        with page.expect_download() as download:
            page.goto(f"/messages/{message}")
            page.get_by_role("link", name="Download the source").click()
        assert download.value.suggested_filename == f"{message}.eml"


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_edit_and_send_again(stage: Stage, scripts: bool) -> None:
    """One press stops it and brings the draft; without scripts, the draft is one press more."""
    message = stage.hand_in(KARL, subject=f"Edit me {scripts}", bcc=[ROBERT])
    with stage.page("alice", f"/messages/{message}", java_script_enabled=scripts) as page:
        with page.expect_download() as download:
            page.get_by_role("button", name="Edit and send again").click()
            if not scripts:
                page.get_by_role("link", name="Download the draft").click()
        told(page, f"Stopped. It will never go to {KARL}, {ROBERT}.")
        assert stage.state(message) == "cancelled"
        assert download.value.suggested_filename == f"draft{message}.eml"
        draft = Path(download.value.path()).read_bytes()
        assert draft.startswith(f"X-Unsent: 1\r\nBcc: {ROBERT}\r\n".encode())
        # What was stopped long ago has the button, too.
        page.goto(f"/messages/{message}")
        expect(page.get_by_role("button", name="Edit and send again")).to_be_visible()
        page.get_by_role("button", name="Take it back").first.click()
        told(page, "It is held again.")
        assert page.request.get(f"/messages/{message}/draft").status == 404
    assert stage.state(message) == "held"


def test_edit_in_french(stage: Stage) -> None:
    message = stage.hand_in(KARL)
    stage.ask("cancel", id=message)
    with stage.page("alice", f"/messages/{message}", locale="fr-FR") as page:
        with page.expect_download():
            page.get_by_role("button", name="Modifier et renvoyer").click()
        told(page, "Ouvrez le brouillon")
        expect(page.get_by_role("link", name="Télécharger le brouillon")).to_be_focused()


def test_history_finds_and_restores(stage: Stage) -> None:
    message = stage.hand_in(KARL, subject="Needle in the history")
    stage.ask("cancel", id=message)
    with stage.page("alice", "/history") as page:
        page.get_by_role("searchbox").fill("needle")
        page.get_by_role("button", name="Search").click()
        expect(page.locator(".item")).to_have_count(1)
        page.get_by_role("button", name="Take it back").click()
        told(page, "It is held again.")
    assert stage.state(message) == "held"


def test_two_languages(stage: Stage) -> None:
    message = stage.hand_in(KARL, login="chloe", text="Please find attached the contract.")
    with stage.page("chloe", "/preferences") as page:
        page.get_by_label("Language").select_option("fr")
        page.get_by_label("Always").check()
        page.get_by_role("button", name="Save").click()
        told(page, "Enregistré")
        expect(page.locator("html")).to_have_attribute("lang", "fr")
        expect(page.get_by_label("Toujours")).to_be_checked()
        page.goto("/")
        expect(page.locator(".hero")).to_contain_text("Attend votre accord")
        expect(page.locator(".hero .reason.warning")).to_contain_text("pièce jointe")
        page.get_by_role("button", name="L\u2019arrêter").click()
        told(page, f"Arrêté. Il n\u2019ira jamais à {KARL}.")
        assert stage.state(message) == "cancelled"
        page.goto("/preferences")
        page.get_by_label("Langue").select_option("")
        page.get_by_role("button", name="Enregistrer").click()
        told(page, "Saved")


def test_by_keyboard_alone(stage: Stage) -> None:
    first = stage.hand_in(KARL, subject="First")
    second = stage.hand_in(KARL, subject="Second")
    with stage.page("alice", viewport=DESK) as page:
        for _ in range(30):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.textContent.trim()") == "Stop it":
                break
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
        page.keyboard.press("Enter")
        told(page, "Stopped.")
        expect(page.get_by_role("button", name="Undo")).to_be_focused()
        assert stage.state(first) == "cancelled"
        calm(page)
        page.keyboard.press("Enter")
        told(page, "It is held again.")
        calm(page)
        # The second leaves first now.
        page.keyboard.press("j")
        page.keyboard.press("s")
        told(page, "Stopped.")
        assert (stage.state(first), stage.state(second)) == ("held", "cancelled")
        calm(page)
        page.keyboard.press("u")
        told(page, "It is held again.")
        page.keyboard.press("?")
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()


def test_it_fits_every_width_and_the_button_is_in_sight(stage: Stage) -> None:
    long = "a-recipient-with-a-very-long-name-indeed@a-department-of.a-customer-with-a-long-name.example"
    message = stage.hand_in(long, ROBERT, subject="Averylongwordwithoutanyplacetobreakitatall" * 3)
    widths = (320, 390, 820, 1440)
    with stage.page("alice") as page:
        for place in (f"/messages/{message}", "/preferences", "/history", "/approvals", "/"):
            page.goto(place)
            for width in widths:
                page.set_viewport_size({"width": width, "height": 700})
                assert page.evaluate("document.documentElement.scrollWidth") <= width, place
        for width in widths:
            page.set_viewport_size({"width": width, "height": 700})
            box = page.get_by_role("button", name="Stop it").first.bounding_box()
            assert box
            assert box["y"] + box["height"] < 640
            assert box["height"] >= 44
            assert box["width"] >= (width * 0.7 if width <= PHONE["width"] else 160)


def test_a_link_from_a_notice_stops_and_takes_back_without_a_sign_in(stage: Stage) -> None:
    message = stage.hand_in(KARL, subject="From a notice")
    link = stage.link(message)
    with stage.page("", link, java_script_enabled=False) as page:
        expect(page.locator(".subject")).to_have_text("From a notice")
        assert stage.state(message) == "held"
        page.get_by_role("button", name="Stop it").click()
        expect(page.get_by_role("status")).to_contain_text(f"Stopped. It will never go to {KARL}.")
        assert stage.state(message) == "cancelled"
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_role("status")).to_contain_text("It is held again.")
        assert stage.state(message) == "held"
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_link_that_is_only_opened_changes_nothing(stage: Stage) -> None:
    """A mail scanner that looks at links in a whole browser, scripts and all."""
    message = stage.hand_in(KARL, subject="Looked at by a machine")
    link = stage.link(message)
    with stage.page("", link) as page:
        for _ in range(3):
            page.wait_for_load_state("networkidle")
            page.mouse.move(200, 400)
            page.keyboard.press("End")
            page.reload()
        expect(page.locator(".subject")).to_have_text("Looked at by a machine")
        assert page.evaluate("document.querySelectorAll('script:not([src])').length") == 0
    assert stage.state(message) == "held"
    assert [event["event"] for event in stage.message(message)["events"]] == ["received"]


def test_a_token_is_shown_once_and_revoked(stage: Stage) -> None:
    with stage.page("alice", "/preferences") as page:
        page.get_by_label("What it is for").fill("laptop")
        page.get_by_label("What it may do").select_option("read")
        page.get_by_role("button", name="Make a token").click()
        shown = page.locator(".banner .mono").inner_text()
        assert shown.startswith("mgt_")
        bearer = {"Authorization": f"Bearer {shown}"}
        with stage.context() as program:
            assert program.request.get("/api/v1/messages", headers=bearer).status == 200
            page.goto("/preferences")
            expect(page.get_by_text(shown)).to_have_count(0)
            page.get_by_role("button", name="Revoke laptop").click()
            told(page, "Saved")
            assert program.request.get("/api/v1/messages", headers=bearer).status == 401
