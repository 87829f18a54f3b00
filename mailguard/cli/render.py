"""What a person sees: tables and sentences. Foreign text never reaches the terminal as it came."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

# Where the output is no terminal nothing is cut, so that grep finds whole lines.
WIDE = 400

_COLOURS = {
    "held": "yellow",
    "frozen": "cyan",
    "confirm": "magenta",
    "approval": "magenta",
    "queued": "blue",
    "relaying": "blue",
    "sent": "green",
    "cancelled": "dim",
    "rejected": "dim",
    "expired": "red",
    "failed": "red",
}


def console() -> Console:
    """The terminal, or a wide page where the output goes into a file or a pipe. Square brackets in a
    subject are square brackets, never markup."""
    width = None if sys.stdout.isatty() else WIDE
    return Console(width=width, markup=False, highlight=False, emoji=False)


def clean(foreign: object) -> str:
    """Foreign text with every control and direction character made visible."""
    text = "" if foreign is None else str(foreign)
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)


def queue(pages: Iterable[Sequence[Mapping[str, Any]]], now: datetime) -> None:
    """The list, next to leave first, each page as soon as it is there."""
    out = console()
    shown = False
    for messages in pages:
        out.print(_table(messages, now, headed=not shown))
        shown = True
    if not shown:
        out.print("Nothing is waiting.")


def _table(messages: Sequence[Mapping[str, Any]], now: datetime, *, headed: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", show_header=headed)
    for heading in ("ID", "STATE", "LEAVES", "FROM", "TO", "SUBJECT", "WHY"):
        table.add_column(heading, overflow="fold" if heading in ("TO", "WHY") else "ellipsis")
    for message in messages:
        table.add_row(
            message["id"],
            Text(message["state"], style=_COLOURS.get(message["state"], "")),
            leaves(message, now),
            clean(message["sender"] or "<>"),
            _to(message["recipients"]),
            clean(message["subject"]),
            _why(message),
        )
    return table


def tokens(listed: Sequence[Mapping[str, Any]]) -> None:
    """What programs show instead of a password."""
    out = console()
    if not listed:
        out.print("There is no token.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("LOGIN", "NAME", "SCOPE", "MADE", "UNTIL", "LAST USED"):
        table.add_column(heading)
    for token in listed:
        whose = clean(token["login"]) or "(this machine)"
        until, used = token["expires_at"] or "revoked", token["used_at"] or "never"
        table.add_row(whose, clean(token["name"]), token["scope"], token["made_at"], until, used)
    out.print(table)


def leaves(message: Mapping[str, Any], now: datetime) -> str:
    """When something of it leaves, in words as short as a column."""
    if message["state"] in ("confirm", "approval"):
        return "after a yes"
    if message["state"] == "frozen":
        return "stopped"
    if message["release_at"] is None or message["state"] in ("sent", "failed", "cancelled"):
        return "-"
    seconds = int((datetime.fromisoformat(message["release_at"]).astimezone(UTC) - now).total_seconds())
    if seconds <= 0:
        return "now"
    hours, rest = divmod(seconds, 3600)
    return f"in {hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"in {rest // 60}:{rest % 60:02d}"


def _to(recipients: Iterable[Mapping[str, Any]]) -> Text:
    parts = Text()
    for recipient in recipients:
        if parts:
            parts.append(", ")
        dropped = recipient["state"] == "dropped"
        parts.append(clean(recipient["address"]), style="strike dim" if dropped else "")
    return parts


def _why(message: Mapping[str, Any]) -> str:
    return clean(", ".join([*message["rules"], *dict.fromkeys(one["check"] for one in message["findings"])]))


def show(message: Mapping[str, Any], now: datetime) -> None:
    """One message, whole."""
    out = console()
    state = Text(message["state"], style=_COLOURS.get(message["state"], ""))
    grid = Table.grid(padding=(0, 2))
    grid.add_row("id", message["id"])
    grid.add_row("state", state)
    grid.add_row("leaves", f"{leaves(message, now)}  {message['release_at'] or ''}".rstrip())
    grid.add_row("from", clean(message["sender"] or "<>"))
    grid.add_row("subject", clean(message["subject"]))
    grid.add_row("received", f"{message['received_at']}  {message['size']} bytes")
    grid.add_row("why", _why(message) or "-")
    if message["approvers"]:
        grid.add_row("approvers", clean(", ".join(message["approvers"])))
    out.print(grid)
    for recipient in message["recipients"]:
        where = "outside" if recipient["external"] else "inside"
        where += ", blind copy" if recipient.get("blind") else ""
        reply = f"  {clean(recipient['reply'])}" if recipient["reply"] else ""
        out.print(Text(f"  to {clean(recipient['address'])} ({where}): {recipient['state']}{reply}"))
    for finding in message["findings"]:
        out.print(Text(f"  ! {clean(finding['text'])}", style="yellow"))
    for event in message.get("events", ()):
        known = {key: value for key, value in event.items() if key not in ("at", "event", "by")}
        detail = "  ".join(f"{key}={clean(value)}" for key, value in known.items())
        out.print(Text(f"  {event['at']}  {event['event']:<9} {clean(event['by'])}  {detail}", style="dim"))


def status(state: Mapping[str, Any]) -> None:
    """Running or not, what is held, what is late, and whether the rules file was taken."""
    out = console()
    running = Text("running", style="green") if state["running"] else Text("not running", style="red")
    grid = Table.grid(padding=(0, 2))
    grid.add_row("guard", running)
    for name, where in state["listeners"].items():
        grid.add_row(name, ", ".join(where))
    grid.add_row("upstream", str(state["upstream"]))
    counts = [f"{count} {name}" for name, count in state["messages"].items() if count]
    grid.add_row("messages", ", ".join(counts) or "none")
    overdue = f"{state['overdue']} since {state['oldest_overdue']}" if state["overdue"] else "none"
    grid.add_row("overdue", Text(overdue, style="red" if state["overdue"] else ""))
    grid.add_row("rules", ", ".join(state["rules"]) or "none")
    if (memory := state.get("memory")) is not None and state["running"]:
        grid.add_row("memory", _memory(memory))
    for one in state.get("nodes", ()):
        grid.add_row("guards", Text(node(one), style="" if one["alive"] else "red"))
    out.print(grid)
    for trouble in state.get("troubles", ()):
        out.print(Text(clean(trouble), style="red"))
    for target in state.get("notify", ()):
        if target["given_up"] or target["fault"]:
            told = f"{target['waiting']} waiting, {target['given_up']} given up, {clean(target['fault'])}"
            out.print(Text(f"notify {target['name']}: {told}", style="red"))
    for error in state["reload_errors"]:
        out.print(Text(f"rules file not taken: {clean(error)}", style="red"))


def node(one: Mapping[str, Any]) -> str:
    """One of the guards that share the queue: which, from where, since when, and how it stands with it."""
    where = f" at {clean(one['address'])}" if one["address"] else ""
    since = f", since {one['since']}" if one["since"] else ""
    heard = f"heard of {one['heard']}" if one["alive"] else f"NOT heard of since {one['heard']}"
    return f"{clean(one['name'])}{where}{since}, {heard}, {one['in_hand']} in hand"


def _memory(memory: Mapping[str, Any]) -> str:
    if not memory["on"]:
        return "off (remember)"
    return f"{memory['mails']} mails" if memory["ready"] else "being read; messages are judged without it"


def verdict(judged: Mapping[str, Any]) -> None:
    """What would happen to a message, and why."""
    out = console()
    out.print(Text(_outcome(judged), style="bold"))
    for recipient in judged["recipients"]:
        where = "outside" if recipient["external"] else "inside"
        when = recipient["release_at"] or "after a yes"
        out.print(Text(f"  to {clean(recipient['address'])} ({where}): {when}"))
    for rule in judged["rules"]:
        out.print(Text(f"  rule {clean(rule)}"))
    for finding in judged["findings"]:
        out.print(Text(f"  ! {clean(finding['text'])}", style="yellow"))


def replay(told: Mapping[str, Any]) -> None:
    """What rules would have done with past mail: the counts first, then each message that changes."""
    out = console()
    counts = f"Of {told['messages']} messages since {told['since']}, {told['held_then']} were held"
    out.print(Text(f"{counts}; these rules would hold {told['held_now']}.", style="bold"))
    for name, count in told["rules"].items():
        out.print(Text(f"  rule {clean(name)}: {count}"))
    for name in told["unanswered"]:
        out.print(Text(f"  rule {clean(name)}: cannot be asked, because it looks at what is not kept"))
    for line in told["changed"]:
        to = ", ".join(map(clean, line["recipients"][:3])) + (" ..." if len(line["recipients"]) > 3 else "")
        what = f"{_length(line, 'before')} -> {_length(line, 'after')}"
        out.print(Text(f"  {line['id']} {clean(line['sender'])} to {to}: {what}", style="yellow"))
    more = told["changes"] - len(told["changed"])
    if more > 0:
        out.print(Text(f"  and {more} more that change; --json counts them by rule"))


def _length(line: Mapping[str, Any], side: str) -> str:
    delay = line[f"delay_{side}"]
    action = line[side] if line[side] != "none" else "at once"
    return f"{action} {delay:g}s" if delay else str(action)


def _outcome(judged: Mapping[str, Any]) -> str:
    reason = clean(judged["reason"])
    return {
        "none": "It would leave at once.",
        "delay": f"It would be held: {reason}.",
        "confirm": f"It would wait until its sender confirms: {reason}.",
        "approve": f"It would wait for an approver: {reason}.",
        "refuse": f"It would be refused: {clean(judged['refusal'] or reason)}.",
    }[judged["action"]]
