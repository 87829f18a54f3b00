"""Whose messages are whose."""

from mailguard.core.account import Account
from mailguard.core.actor import ADMIN, Actor
from tests.making import message

ANNE = Actor(name="a", account=Account(login="a", addresses=("a@corp.example",)))
BOB = Actor(name="b", account=Account(login="b", addresses=("b@corp.example",)))
NOBODY = Actor(name="nobody")


def test_the_login_that_submitted_it_owns_it() -> None:
    assert ANNE.owns(message())
    assert not BOB.owns(message())


def test_without_a_login_the_envelope_sender_counts() -> None:
    assert BOB.owns(message(user=None, sender="b@corp.example"))
    assert not BOB.owns(message(user=None, sender=""))


def test_an_admin_may_act_on_everything_and_nobody_on_nothing() -> None:
    assert ADMIN.may_act_on(message())
    assert not NOBODY.may_act_on(message())
    assert not NOBODY.may_approve(message(approvers=("b@corp.example",)))


def test_an_approver_may_approve_but_never_their_own() -> None:
    waiting = message(approvers=("b@corp.example", "a@corp.example"))
    assert BOB.may_approve(waiting)
    assert not ANNE.may_approve(waiting)
    assert not BOB.may_act_on(waiting)


def test_the_members_of_a_mailbox_act_on_its_mail_and_approve_none_of_it() -> None:
    carol = Actor(
        name="c",
        account=Account(login="c", addresses=("info@corp.example", "c@corp.example")),
        shared=frozenset({"info@corp.example"}),
    )
    from_there = message(sender="Info@corp.example", approvers=("c@corp.example",))
    assert carol.may_act_on(from_there) and not carol.owns(from_there)
    assert not carol.may_approve(from_there)
    assert not carol.may_act_on(message())
    assert not carol.may_act_on(message(sender="", user=None))
    assert carol.may_approve(message(approvers=("c@corp.example",)))


def test_a_deputy_may_approve_and_an_admin_not_their_own() -> None:
    assert BOB.may_approve(message(approvers=("x@corp.example",), deputies=("B@corp.example",)))
    chief = Actor(name="a", admin=True, account=ANNE.account)
    assert not chief.may_approve(message())
    assert chief.may_approve(message(user="b", sender="b@corp.example"))
    assert ADMIN.may_approve(message())
