"""Whom outside the guard tells what happens, joined from [[notify]]."""

from mailguard.core.errors import ConfigurationError, Fault
from mailguard.core.news import Topic
from mailguard.edge.clock import SystemClock
from mailguard.edge.config import Settings
from mailguard.edge.ids import RandomIds
from mailguard.flow.notifying import Notifying, Target
from mailguard.ports import Log
from mailguard.ports.outward import Notifier, Outbox


def notifying_of(settings: Settings, outbox: Outbox, clock: SystemClock, log: Log) -> Notifying:
    """The outbox of an open store, and the way to each target. Raises ConfigurationError."""
    return Notifying(
        outbox=outbox,
        targets=_targets(settings, clock),
        clock=clock,
        log=log,
        ids=RandomIds(),
        language=settings.language,
    )


def _targets(settings: Settings, clock: SystemClock) -> list[Target]:
    return [
        Target(
            name=one.name,
            topics=frozenset(Topic(name) for name in one.events),
            subject=one.subject,
            notifier=_notifier(
                one.kind,
                one.name,
                one.url.get_secret_value() if one.url else "",
                one.secret.get_secret_value() if one.secret else "",
                clock,
            ),
        )
        for one in settings.notify
    ]


def _notifier(kind: str, name: str, url: str, secret: str, clock: SystemClock) -> Notifier:
    # Imported here: a guard without such a target starts without their libraries.
    if kind == "webhook":
        from mailguard.edge.outbound.webhook import WebhookNotifier  # noqa: PLC0415

        return WebhookNotifier(url=url, secret=secret, now=clock.now)
    from mailguard.edge.outbound.chat import ChatNotifier  # noqa: PLC0415

    try:
        return ChatNotifier(url=url)
    except ValueError as error:
        expected = "one from https://appriseit.com/services/"
        key = f'notify "{name}".url'
        fault = Fault(file="mailguard.toml", line=None, key=key, problem=str(error), expected=expected)
        raise ConfigurationError((fault,)) from None
