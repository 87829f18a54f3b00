"""The moves, computed: what each makes of a message, and what each tells where it is not possible."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailguard.core import delivery, moves
from mailguard.core.delivery import Answer, Outcome
from mailguard.core.hold import Action, Change, HeldMessage, HeldRecipient
from mailguard.core.moves import Refusal, Refused
from mailguard.core.standing import state_of
from mailguard.core.states import MessageState, RecipientState
from tests.making import DELAY, MARGIN, NOW, gated, in_state, message, recipient

SOON = NOW + timedelta(minutes=1)
LATE = NOW + timedelta(hours=1)


def changed(result: moves.Result | None) -> HeldMessage:
    """The message after a move that must have been made."""
    assert isinstance(result, Change), result
    assert result.after.version == result.before.version + 1
    return result.after


def refused(result: moves.Result) -> Refused:
    """Why a move was not made."""
    assert isinstance(result, Refusal), result
    return result.reason


def test_cancel_stops_every_recipient_and_keeps_the_bytes_for_a_restore() -> None:
    result = moves.cancel(message(recipient("b@x.example"), recipient("c@y.example")), (), by="a", now=SOON)
    after = changed(result)
    assert after.state is MessageState.CANCELLED
    assert {r.state for r in after.recipients} == {RecipientState.DROPPED}
    assert after.due_at is None
    assert after.body_kept
    assert isinstance(result, Change)
    assert result.event.detail == {"dropped": ["b@x.example", "c@y.example"]}


def test_cancel_of_one_recipient_lets_the_rest_wait() -> None:
    before = message(recipient("b@x.example"), recipient("c@y.example"))
    after = changed(moves.cancel(before, {"c@y.example"}, by="a", now=SOON))
    assert after.state is MessageState.HELD
    assert [r.state for r in after.recipients] == [RecipientState.WAITING, RecipientState.DROPPED]
    assert after.due_at == before.due_at


def test_dropping_the_last_waiting_recipient_cancels() -> None:
    left = recipient("b@x.example", state=RecipientState.SENT, due_at=None, sent_at=NOW)
    after = changed(moves.cancel(message(left, recipient("c@y.example")), (), by="a", now=SOON))
    assert after.state is MessageState.CANCELLED


def test_cancel_in_mid_relay_reaches_only_those_who_wait() -> None:
    flying = recipient("b@x.example", in_flight=True)
    before = message(flying, recipient("c@y.example"), state=MessageState.RELAYING)
    after = changed(moves.cancel(before, (), by="a", now=SOON))
    assert after.state is MessageState.RELAYING
    assert [r.state for r in after.recipients] == [RecipientState.WAITING, RecipientState.DROPPED]
    assert after.recipients[0].in_flight


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (MessageState.CANCELLED, Refused.ALREADY),
        (MessageState.REJECTED, Refused.ALREADY),
        (MessageState.EXPIRED, Refused.ALREADY),
        (MessageState.SENT, Refused.TOO_LATE),
        (MessageState.FAILED, Refused.TOO_LATE),
        (MessageState.RELAYING, Refused.TOO_LATE),
    ],
)
def test_cancel_tells_the_truth_where_it_cannot(state: MessageState, reason: Refused) -> None:
    assert refused(moves.cancel(in_state(state), (), by="a", now=SOON)) is reason


def test_restore_holds_again_with_the_delay_from_now() -> None:
    cancelled = changed(moves.cancel(message(), (), by="a", now=SOON))
    after = changed(moves.restore(cancelled, by="a", now=LATE))
    assert after.state is MessageState.HELD
    assert after.release_at == LATE + DELAY
    assert after.due_at == LATE + DELAY + MARGIN


def test_restore_after_the_time_for_it_is_too_late() -> None:
    cancelled = changed(moves.cancel(message(), (), by="a", now=SOON))
    assert refused(moves.restore(cancelled, by="a", now=SOON + timedelta(days=8))) is Refused.TOO_LATE


@pytest.mark.parametrize("gate", [Action.CONFIRM, Action.APPROVE])
def test_cancel_and_restore_is_no_way_round_a_gate(gate: Action) -> None:
    state = MessageState.CONFIRM if gate is Action.CONFIRM else MessageState.APPROVAL
    cancelled = changed(moves.cancel(in_state(state), (), by="a", now=SOON))
    after = changed(moves.restore(cancelled, by="a", now=LATE))
    assert after.state is state
    assert after.due_at is None


def test_release_sends_now() -> None:
    after = changed(moves.release(message(), by="a", now=SOON))
    assert after.state is MessageState.QUEUED
    assert after.due_at == SOON


def test_release_of_what_waits_for_an_approver_is_refused() -> None:
    assert refused(moves.release(in_state(MessageState.APPROVAL), by="a", now=SOON)) is Refused.WRONG_STATE


def test_confirm_before_the_delay_is_over_waits_for_its_end() -> None:
    after = changed(moves.confirm(in_state(MessageState.CONFIRM), by="a", now=SOON))
    assert after.state is MessageState.HELD
    assert after.release_at == NOW + DELAY
    assert after.expires_at is None


def test_confirm_after_the_delay_leaves_at_once() -> None:
    after = changed(moves.confirm(in_state(MessageState.CONFIRM), by="a", now=LATE))
    assert after.state is MessageState.QUEUED
    assert after.due_at == LATE


def test_a_confirmed_message_that_was_cancelled_restores_without_the_gate() -> None:
    confirmed = changed(moves.confirm(in_state(MessageState.CONFIRM), by="a", now=SOON))
    cancelled = changed(moves.cancel(confirmed, (), by="a", now=SOON))
    assert changed(moves.restore(cancelled, by="a", now=LATE)).state is MessageState.HELD


def test_reject_ends_it_and_drops_the_bytes() -> None:
    result = moves.reject(in_state(MessageState.APPROVAL), "not yet", by="p", now=SOON)
    after = changed(result)
    assert after.state is MessageState.REJECTED
    assert not after.body_kept
    assert isinstance(result, Change)
    assert result.drop_body
    assert result.event.detail["reason"] == "not yet"


def test_extend_moves_the_time_that_was_told_and_never_back() -> None:
    after = changed(moves.extend(message(), lambda told: told + DELAY, by="a", now=SOON))
    assert after.release_at == NOW + 2 * DELAY
    assert after.due_at == NOW + 2 * DELAY + MARGIN
    earlier = changed(moves.extend(message(), lambda told: SOON, by="a", now=SOON))
    assert earlier.release_at == NOW + DELAY


def test_freeze_stops_the_clock_and_thaw_gives_the_rest_of_the_time() -> None:
    frozen = changed(moves.freeze(message(), by="a", now=SOON))
    assert frozen.state is MessageState.FROZEN
    assert frozen.due_at is None
    # Nothing may stay stuck: a frozen message has an end as well.
    assert frozen.expires_at is not None
    thawed = changed(moves.thaw(frozen, by="a", now=LATE))
    assert thawed.state is MessageState.HELD
    assert thawed.release_at == LATE + DELAY - (SOON - NOW)


@pytest.mark.parametrize("state", [MessageState.CONFIRM, MessageState.APPROVAL, MessageState.FROZEN])
def test_expire_returns_what_nobody_decided(state: MessageState) -> None:
    after = changed(moves.expire(in_state(state), by="mailguard", now=LATE))
    assert after.state is MessageState.EXPIRED
    assert not after.body_kept


def test_claim_takes_only_what_is_due() -> None:
    before = message(
        recipient("now@x.example", due_at=NOW),
        recipient("later@x.example"),
        recipient("gone@x.example", state=RecipientState.DROPPED, due_at=None),
    )
    change = moves.claim(before, by="mailguard", now=SOON)
    assert change is not None
    assert [r.in_flight for r in change.after.recipients] == [True, False, False]
    assert change.after.state is MessageState.RELAYING
    assert moves.claim(change.after, by="mailguard", now=LATE) is None


def test_a_frozen_message_is_never_claimed() -> None:
    assert moves.claim(in_state(MessageState.FROZEN), by="mailguard", now=LATE) is None


def test_the_split_off_part_leaves_while_the_rest_waits_for_a_person() -> None:
    at_once = recipient("b@x.example", delay=timedelta(0), release_at=NOW, due_at=NOW)
    before = message(at_once, gated("c@y.example"), state=MessageState.CONFIRM, gate=Action.CONFIRM)
    claimed = moves.claim(before, by="mailguard", now=NOW)
    assert claimed is not None
    outcome = Outcome(address="b@x.example", answer=Answer.TAKEN, reply="250 ok")
    after = delivery.settle(claimed.after, [outcome], by="mailguard", now=NOW).after
    assert after.state is MessageState.CONFIRM
    assert [r.state for r in after.recipients] == [RecipientState.SENT, RecipientState.WAITING]


def test_recover_tries_again_and_says_that_it_may_arrive_twice() -> None:
    change = moves.recover(in_state(MessageState.RELAYING), by="mailguard", now=LATE)
    assert change.after.state is MessageState.QUEUED
    assert change.after.due_at == LATE
    assert change.event.detail == {"may_arrive_twice": ["b@client.example"]}


Person = Callable[[HeldMessage, datetime], moves.Result]

PEOPLE: dict[str, Person] = {
    "cancel": lambda m, now: moves.cancel(m, (), by="a", now=now),
    "drop": lambda m, now: moves.cancel(m, {"c@y.example"}, by="a", now=now),
    "restore": lambda m, now: moves.restore(m, by="a", now=now),
    "release": lambda m, now: moves.release(m, by="a", now=now),
    "confirm": lambda m, now: moves.confirm(m, by="a", now=now),
    "approve": lambda m, now: moves.approve(m, by="a", now=now),
    "reject": lambda m, now: moves.reject(m, "no", by="a", now=now),
    "extend": lambda m, now: moves.extend(m, lambda told: told + DELAY, by="a", now=now),
    "freeze": lambda m, now: moves.freeze(m, by="a", now=now),
    "thaw": lambda m, now: moves.thaw(m, by="a", now=now),
    "expire": lambda m, now: moves.expire(m, by="a", now=now),
}


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize("state", MessageState)
def test_every_move_from_every_state_answers_without_an_exception(name: str, state: MessageState) -> None:
    result = PEOPLE[name](in_state(state), SOON)
    assert isinstance(result, Change | Refusal)


def attempt(before: HeldMessage, answers: list[Answer], now: datetime) -> HeldMessage:
    """Claim and settle in one go; the message as it was where nothing is due."""
    claimed = moves.claim(before, by="mailguard", now=now)
    if claimed is None:
        return before
    flying = [r for r in claimed.after.recipients if r.in_flight]
    outcomes = [
        Outcome(address=r.address, answer=answer, reply="said")
        for r, answer in zip(flying, answers, strict=False)
    ]
    return delivery.settle(claimed.after, outcomes, by="mailguard", now=now).after


KINDS = st.lists(st.sampled_from(["gated", "timed", "at once"]), min_size=1, max_size=3)


def some_message(kinds: list[str], gate: Action) -> HeldMessage:
    """A message as split rules make it: some wait for a person, some for their time, some for nobody."""
    names = ["b@client.example", "c@y.example", "d@z.example"]
    makers: dict[str, Callable[[str], HeldRecipient]] = {
        "gated": gated,
        "timed": recipient,
        "at once": lambda name: recipient(name, delay=timedelta(0), release_at=NOW, due_at=NOW),
    }
    recipients = [makers[kind](name) for kind, name in zip(kinds, names, strict=False)]
    waits = "gated" in kinds
    made = message(*recipients, gate=gate if waits else Action.NONE, expire=timedelta(hours=2))
    state = state_of(made, made.recipients, NOW, finished=MessageState.SENT)
    return replace(made, state=state, expires_at=NOW + timedelta(hours=2) if waits else None)


@given(
    kinds=KINDS,
    gate=st.sampled_from([Action.CONFIRM, Action.APPROVE]),
    steps=st.lists(
        st.one_of(
            st.sampled_from(sorted(PEOPLE)),
            st.lists(st.sampled_from(Answer), min_size=3, max_size=3),
        ),
        max_size=14,
    ),
    pauses=st.lists(st.integers(min_value=0, max_value=90), min_size=14, max_size=14),
)
def test_no_walk_breaks_the_rules(
    kinds: list[str], gate: Action, steps: list[str | list[Answer]], pauses: list[int]
) -> None:
    """Whatever happens in whatever order: a dropped recipient is never sent to unless restored, what an
    approver stopped never comes back, a gate is never passed without its yes, and whatever is unfinished
    has a next time."""
    current = some_message(kinds, gate)
    behind = {r.address for r in current.recipients if r.gated}
    now, opened = NOW, False
    for taken, pause in zip(steps, pauses, strict=False):
        now += timedelta(minutes=pause)
        before = current
        if isinstance(taken, str):
            result = PEOPLE[taken](current, now)
            if isinstance(result, Change):
                current = result.after
                yes = ("approve",) if gate is Action.APPROVE else ("release", "confirm")
                opened = opened or taken in yes
        else:
            current = attempt(current, taken, now)
        for old, new in zip(before.recipients, current.recipients, strict=True):
            if old.state is RecipientState.DROPPED and new.state is not RecipientState.DROPPED:
                assert taken == "restore"
                assert old.dropped_at is not None
            if new.state is RecipientState.SENT and old.state is not RecipientState.SENT:
                assert old.open
                assert opened or new.address not in behind
        if not current.state.finished:
            assert current.due_at is not None or current.expires_at is not None
        else:
            assert not any(r.open for r in current.recipients)


def split(*others: HeldRecipient, gate: Action) -> HeldMessage:
    """One recipient behind a gate, others beside it."""
    state = MessageState.CONFIRM if gate is Action.CONFIRM else MessageState.APPROVAL
    return message(gated("x@x.example"), *others, state=state, gate=gate, expires_at=NOW + timedelta(hours=2))


@pytest.mark.parametrize("gate", [Action.CONFIRM, Action.APPROVE])
def test_what_needed_nobodys_yes_outlives_what_expired(gate: Action) -> None:
    slow = recipient("y@y.example", release_at=NOW + timedelta(days=5), due_at=NOW + timedelta(days=5))
    after = changed(moves.expire(split(slow, gate=gate), by="mailguard", now=NOW + timedelta(days=2)))
    assert after.state is MessageState.HELD
    assert [r.state for r in after.recipients] == [RecipientState.DROPPED, RecipientState.WAITING]


def test_a_release_beside_a_cancelled_approval_opens_no_gate() -> None:
    before = split(recipient("y@y.example"), recipient("z@z.example"), gate=Action.APPROVE)
    cancelled = changed(moves.cancel(before, {"x@x.example", "y@y.example"}, by="a", now=SOON))
    released = changed(moves.release(cancelled, by="a", now=SOON))
    restored = changed(moves.restore(released, by="a", now=SOON))
    assert restored.state is MessageState.APPROVAL
    assert refused(moves.release(restored, by="a", now=SOON)) is Refused.WRONG_STATE
    assert restored.expires_at is not None


def test_what_an_approver_refused_is_never_restored() -> None:
    rejected = changed(
        moves.reject(split(recipient("y@y.example"), gate=Action.APPROVE), "no", by="p", now=SOON)
    )
    assert rejected.state is MessageState.HELD
    assert refused(moves.restore(rejected, by="a", now=SOON)) is Refused.ALREADY


def test_a_frozen_message_can_be_cancelled_and_brought_back() -> None:
    frozen = changed(moves.freeze(message(), by="a", now=SOON))
    cancelled = changed(moves.cancel(frozen, (), by="a", now=SOON))
    assert cancelled.frozen_at is None
    assert changed(moves.restore(cancelled, by="a", now=LATE)).release_at == LATE + DELAY


def test_a_restored_message_waits_for_its_yes_for_the_whole_time_again() -> None:
    cancelled = changed(moves.cancel(in_state(MessageState.CONFIRM), (), by="a", now=SOON))
    after = changed(moves.restore(cancelled, by="a", now=SOON + timedelta(days=3)))
    assert after.expires_at == SOON + timedelta(days=5)


def test_a_yes_beside_a_part_that_is_on_its_way_is_not_lost() -> None:
    flying = recipient("y@y.example", in_flight=True)
    before = replace(split(flying, gate=Action.CONFIRM), state=MessageState.RELAYING)
    assert refused(moves.confirm(before, by="a", now=SOON)) is Refused.BUSY


def test_cancelling_what_has_left_is_too_late_even_the_second_time() -> None:
    left = recipient("y@y.example", state=RecipientState.SENT, due_at=None, sent_at=NOW)
    cancelled = changed(moves.cancel(message(left, recipient()), (), by="a", now=SOON))
    assert refused(moves.cancel(cancelled, (), by="a", now=SOON)) is Refused.TOO_LATE
    assert refused(moves.cancel(cancelled, {"y@y.example"}, by="a", now=SOON)) is Refused.TOO_LATE
    assert refused(moves.cancel(cancelled, {"b@client.example"}, by="a", now=SOON)) is Refused.ALREADY


def test_retries_of_a_restored_message_start_afresh() -> None:
    tired = recipient(state=RecipientState.DEFERRED, attempts=30, first_try_at=NOW - timedelta(days=4))
    cancelled = changed(moves.cancel(message(tired, state=MessageState.QUEUED), (), by="a", now=SOON))
    restored = changed(moves.restore(cancelled, by="a", now=LATE))
    assert (restored.recipients[0].attempts, restored.recipients[0].first_try_at) == (0, None)


def test_what_is_restored_while_the_clock_stands_still_has_its_whole_delay_after_the_thaw() -> None:
    two = message(recipient("b@x.example"), recipient("c@x.example"))
    dropped = changed(moves.cancel(two, {"b@x.example"}, by="a", now=NOW))
    frozen = changed(moves.freeze(dropped, by="a", now=NOW))
    restored = changed(moves.restore(frozen, by="a", now=NOW + timedelta(hours=3)))
    thawed = changed(moves.thaw(restored, by="a", now=NOW + timedelta(hours=4)))
    assert [one.release_at for one in thawed.recipients] == [NOW + timedelta(hours=4) + DELAY] * 2


def test_what_was_never_offered_is_put_back_as_if_nothing_had_been() -> None:
    claimed = moves.claim(message(recipient(due_at=NOW)), by="mailguard", now=SOON)
    assert claimed is not None
    change = moves.put_back(claimed.after, by="mailguard", now=LATE)
    assert change.after.recipients[0].attempts == 0
    # The days of trying count from a real attempt, and nobody leaves before the time that was told.
    assert change.after.recipients[0].first_try_at is None
    assert not change.after.recipients[0].maybe_sent
    assert change.after.due_at == NOW
