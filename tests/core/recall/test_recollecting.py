"""What the memory tells the checks about one mail."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from mailguard.core.recall.digest import read
from mailguard.core.recall.hashing import Digests
from mailguard.core.recall.letter import Letter
from mailguard.core.recall.recollecting import recollect
from mailguard.core.recall.remembrance import Remembrance
from mailguard.core.recollection import Recollection

DIGESTS = Digests(b"a key for tests")
ME = "anne@corp.example"
START = datetime(2026, 9, 1, 8, tzinfo=UTC)
INTERNAL = ("corp.example",)


def mail(
    number: int,
    *to: str,
    sender: str = ME,
    cc: tuple[str, ...] = (),
    hidden: tuple[str, ...] = (),
    answers: tuple[str, ...] = (),
    subject: str = "",
) -> Letter:
    """One a day."""
    return Letter(
        sender=sender,
        when=START + timedelta(days=number),
        to=to,
        cc=cc,
        hidden=hidden,
        subject=subject or f"Another matter {number}",
        text="Hello, here is what we spoke of.",
        message_id=f"{number}@corp.example",
        answers=answers,
    )


def remembered(*letters: Letter) -> Remembrance:
    """A memory of these."""
    memory = Remembrance()
    for letter in letters:
        memory.observe(read(letter, DIGESTS).observation)
    return memory


def known(memory: Remembrance, letter: Letter, own: tuple[str, ...] = ()) -> Recollection:
    """What is known of the next mail."""
    scene = memory.scene(read(letter, DIGESTS), INTERNAL)
    return recollect(memory, scene, own_addresses=own, internal=INTERNAL)


def test_habits() -> None:
    memory = remembered(
        mail(1, "bob@client.example"),
        mail(2, "bob@client.example"),
        mail(3, ME, sender="bob@client.example"),
        mail(4, "eve@mail.client.example"),
    )
    found = known(memory, mail(9, "bob@client.example"))
    bob = found.people["bob@client.example"]
    assert (found.mails, bob.mails, bob.back, bob.domain_mails) == (3, 2, 1, 3)
    assert bob.last_at == START + timedelta(days=2)
    assert (bob.known_here, bob.domain_known, bob.per_thousand) == (True, True, 1000.0)
    assert found.organisations == {"client.example"}


def test_somebody_new_and_somebody_whom_a_colleague_knows() -> None:
    memory = remembered(mail(1, "bob@client.example", sender="carl@corp.example"))
    bob = known(memory, mail(9, "bob@client.example")).people["bob@client.example"]
    assert (bob.mails, bob.last_at, bob.known_here) == (0, None, True)
    eve = known(memory, mail(9, "eve@elsewhere.example")).people["eve@elsewhere.example"]
    assert (eve.mails, eve.known_here, eve.domain_known) == (0, False, False)


def test_the_more_usual_namesake() -> None:
    usual = [mail(day, "m.durand@corp.example") for day in range(6)]
    memory = remembered(*usual, mail(7, "m.dupont@client.example"), mail(8, "marketing@corp.example"))
    found = known(memory, mail(9, "m.dupont@client.example")).people["m.dupont@client.example"].usual
    assert found is not None
    assert (found.address, found.mails) == ("m.durand@corp.example", 6)
    # He is on the mail himself; or there is no likeness but the first letters; or the other is as usual.
    both = known(memory, mail(9, "m.dupont@client.example", "m.durand@corp.example"))
    assert both.people["m.dupont@client.example"].usual is None
    assert known(memory, mail(9, "marc@client.example")).people["marc@client.example"].usual is None
    assert known(memory, mail(9, "m.durand@corp.example")).people["m.durand@corp.example"].usual is None


def test_a_slip_of_the_finger() -> None:
    memory = remembered(mail(1, "jean.martin@client.example"), mail(2, "jean.martin@client.example"))
    slip = known(memory, mail(9, "jean.matrin@client.example")).people["jean.matrin@client.example"]
    assert slip.near is not None
    assert (slip.near.address, slip.near.mails) == ("jean.martin@client.example", 2)
    domain = known(memory, mail(9, "jean.martin@cilent.example")).people["jean.martin@cilent.example"]
    assert domain.near_domain == "client.example"
    # His private mailbox is no slip.
    private = known(memory, mail(9, "jean.martin@mailbox.example")).people["jean.martin@mailbox.example"]
    assert (private.near, private.near_domain) == (None, "")


def test_a_domain_is_like_one_that_is_established() -> None:
    def near(memory: Remembrance) -> str:
        return known(memory, mail(9, "rank@mdjwlaw.example")).people["rank@mdjwlaw.example"].near_domain

    once = mail(1, "rank@mdjlaw.example")
    # The first may have been the slip.
    assert near(remembered(once)) == ""
    assert near(remembered(once, mail(2, "rank@mdjlaw.example"))) == "mdjlaw.example"
    # A colleague's mail and an answer count as well.
    assert near(remembered(once, mail(2, "eve@mdjlaw.example", sender="carl@corp.example"))) != ""
    assert near(remembered(once, mail(2, ME, sender="rank@mdjlaw.example"))) != ""
    # Both are written to: they may be two domains of one firm.
    both = remembered(once, mail(2, "rank@mdjlaw.example"), mail(3, "krumme@mdjwlaw.example"))
    assert near(both) == ""


def test_short_domains_one_letter_apart_are_two_firms() -> None:
    memory = remembered(mail(1, "eve@fpl.example"), mail(2, "eve@fpl.example"))
    people = known(memory, mail(9, "bob@lpl.example", "bob@fp1.example")).people
    assert people["bob@lpl.example"].near_domain == ""
    assert people["bob@fp1.example"].near_domain == "fpl.example"


def test_the_conversation() -> None:
    memory = remembered(
        mail(1, "bob@corp.example", "carl@corp.example", subject="Plans"),
        mail(2, ME, sender="bob@corp.example", cc=("eve@client.example",), answers=("1@corp.example",)),
    )
    answer = mail(
        3, "bob@corp.example", "eve@client.example", "fritz@client.example", answers=("2@corp.example",)
    )
    found = known(memory, answer)
    bob, eve, fritz = found.people.values()
    assert (bob.in_thread, bob.wrote, bob.added) == (True, True, False)
    assert (eve.in_thread, eve.wrote, eve.added) == (True, False, True)
    assert (fritz.in_thread, fritz.wrote, fritz.added) == (False, False, False)
    assert found.answered == (ME, "eve@client.example")


def test_whoever_got_a_blind_copy_was_in_no_conversation() -> None:
    memory = remembered(mail(1, "bob@corp.example", sender="carl@corp.example", hidden=(ME,)))
    found = known(memory, mail(2, "carl@corp.example", "bob@corp.example", answers=("1@corp.example",)))
    assert found.answered == ("bob@corp.example",)
    theirs = known(memory, mail(3, ME, sender="bob@corp.example", answers=("1@corp.example",)))
    assert not theirs.people[ME].in_thread
    assert not theirs.people[ME].known_here
    # Once she was seen on a mail she is known like everybody.
    memory.observe(read(mail(4, ME, sender="carl@corp.example"), DIGESTS).observation)
    assert known(memory, mail(5, ME, sender="bob@corp.example")).people[ME].known_here


def test_what_came_by_a_list_reached_more_than_it_names() -> None:
    posted = replace(mail(1, "list@lists.example", sender="carl@corp.example"), through_list=True)
    memory = remembered(posted, mail(2, "bob@corp.example", sender="carl@corp.example"))
    assert known(memory, mail(3, "list@lists.example", answers=("1@corp.example",))).through_list
    assert not known(memory, mail(3, "bob@corp.example", answers=("2@corp.example",))).through_list
    assert not known(memory, mail(3, "bob@corp.example")).through_list


def test_a_usual_companion_is_missing() -> None:
    together = [mail(day, "bob@client.example", cc=("carl@corp.example",)) for day in range(7)]
    memory = remembered(*together, mail(8, "bob@client.example"), mail(9, "dora@corp.example"))
    (missing,) = known(memory, mail(10, "bob@client.example")).missing
    assert (missing.address, missing.together, missing.of) == ("carl@corp.example", 7, 8)
    assert not known(memory, mail(10, "bob@client.example", "carl@corp.example")).missing
    assert not known(memory, mail(10, "bob@client.example", "dora@corp.example")).missing


def test_a_companion_who_was_blind_is_not_missed_aloud() -> None:
    memory = remembered(*(mail(day, "bob@client.example", hidden=("eve@corp.example",)) for day in range(7)))
    assert not known(memory, mail(10, "bob@client.example")).missing


def test_the_other_address_of_the_sender() -> None:
    mails = [mail(day, "bob@client.example", sender="support@corp.example") for day in range(6)]
    memory = remembered(*mails, mail(7, "bob@client.example"))
    own = (ME, "support@corp.example")
    identity = known(memory, mail(8, "bob@client.example"), own).identity
    assert identity is not None
    assert (identity.address, identity.mails) == ("support@corp.example", 6)
    assert known(memory, mail(8, "dora@corp.example"), own).identity is None
    assert known(memory, mail(8, "bob@client.example")).identity is None


def test_nobody_who_was_erased_is_named() -> None:
    memory = remembered(
        *(mail(day, "m.durand@corp.example", "m.dupont@client.example") for day in range(7)),
        mail(7, "m.durand@corp.example", "m.dupont@client.example", sender="bob@corp.example"),
        mail(8, "m.durand@corp.example"),
    )
    memory.erase("m.durand@corp.example")
    found = known(memory, mail(9, "m.dupont@client.example", answers=("7@corp.example",)))
    assert found.people["m.dupont@client.example"].usual is None
    assert not found.missing
    assert found.answered == ("m.dupont@client.example",)


def test_many_domains_are_compared_in_bounds() -> None:
    mails = [mail(n, f"bob@{chr(97 + n % 26)}{n}-works.example") for n in range(2100)]
    memory = remembered(*mails, mail(2100, "bob@a26-works.example"))
    found = known(memory, mail(2200, "bob@a26-work.example")).people["bob@a26-work.example"]
    assert found.near_domain == "a26-works.example"


def test_to_take_it_apart_leaves_nothing() -> None:
    memory = remembered(*(mail(n, "bob@client.example") for n in range(300)))
    memory.dissolve()
    assert not memory.recall.habits
    assert not memory.recall.recipients


def test_who_follows_up_his_own_mail_got_it_from_nobody() -> None:
    memory = remembered(mail(1, "bob@corp.example", "eve@client.example"))
    follow_up = mail(2, "bob@corp.example", "eve@client.example", answers=("1@corp.example",))
    found = known(memory, follow_up)
    assert found.answered == ()
    assert found.people["eve@client.example"].in_thread
    assert not found.people["eve@client.example"].added
    other = mail(2, "eve@client.example", sender="bob@corp.example", answers=("1@corp.example",))
    assert known(memory, other).answered == ("bob@corp.example", "eve@client.example")
