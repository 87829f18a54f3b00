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
