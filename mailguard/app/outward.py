"""What goes out of the guard besides mail, joined: whom it tells what happens, and where drafts go."""

from mailguard.core.errors import ConfigurationError, Fault
from mailguard.core.news import Topic
from mailguard.edge.clock import SystemClock
from mailguard.edge.config import Settings
from mailguard.edge.ids import RandomIds
from mailguard.flow.decide import Decide
from mailguard.flow.edit_again import EditAgain
from mailguard.flow.notifying import Notifying, Target
from mailguard.ports import Log, Store
from mailguard.ports.outward import Drafts, Notifier, Outbox


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


def drafts_of(settings: Settings) -> Drafts | None:
    """The way into people's folders of drafts; None where the admin named no server."""
    drafts = settings.drafts
    if drafts.host is None:
        return None
    from mailguard.edge.outbound.drafts import ImapDrafts, ImapOptions  # noqa: PLC0415

    return ImapDrafts(
        ImapOptions(
            host=drafts.host,
            port=drafts.port,
            tls=drafts.tls,
            ca_file=drafts.ca_file,
            username=drafts.username or "",
            password=drafts.password.get_secret_value() if drafts.password else "",
            master=drafts.login == "master",
            folder=drafts.folder,
        )
    )


def edit_again_of(settings: Settings, decide: Decide, store: Store, log: Log) -> EditAgain:
    """How a stopped message is had back."""
    return EditAgain(
        decide=decide,
        store=store,
        drafts=drafts_of(settings),
        by_address=settings.drafts.mailbox == "address",
        log=log,
        language=settings.language,
    )
