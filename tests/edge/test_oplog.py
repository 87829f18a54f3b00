"""The operator's log, as an operator or a collector reads it."""

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from mailguard.core.states import MessageState
from mailguard.edge import oplog
from mailguard.edge.oplog import LogFormat

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """A stream to log into; the process's logging is afterwards as it was before."""
    root, ours, library = logging.getLogger(), logging.getLogger("mailguard"), logging.getLogger("mail.log")
    before = [(logger, logger.level, list(logger.handlers)) for logger in (root, ours, library)]
    yield io.StringIO()
    for logger, level, attached in before:
        logger.setLevel(level)
        logger.handlers[:] = attached


def text_line(stream: io.StringIO, name: str, **fields: object) -> str:
    stream.seek(0)
    stream.truncate()
    oplog.configure(LogFormat.TEXT, "info", stream).event(name, **fields)
    time, _, rest = stream.getvalue().partition(" ")
    datetime.strptime(time, "%Y-%m-%dT%H:%M:%S.%f%z")
    return rest


def test_a_readable_line(stream: io.StringIO) -> None:
    line = text_line(stream, "held", id="7k3m", to=["b@x.example", "c@y.example"], size=4120, user=None)
    assert line == "held id=7k3m to=b@x.example,c@y.example size=4120\n"


def test_a_json_line(stream: io.StringIO) -> None:
    log = oplog.configure(LogFormat.JSON, "info", stream)
    log.event("held", id="7k3m", to=["b@x.example"], until=datetime(2026, 11, 22, 10, 5, tzinfo=UTC))
    line = json.loads(stream.getvalue())
    assert line.pop("at").endswith("Z")
    assert line == {
        "level": "info",
        "event": "held",
        "id": "7k3m",
        "to": ["b@x.example"],
        "until": "2026-11-22T10:05:00Z",
    }


@pytest.mark.parametrize("form", list(LogFormat))
@pytest.mark.parametrize(
    "hostile",
    [
        "a\r\n2026-01-01T00:00:00Z sent id=1",
        "\x1b[2J\x1b]0;owned\x07",
        "\u202eexe.pdf\u2028x\x85y",
        "\x00",
        "\ud800",
    ],
)
def test_no_value_begins_a_line_or_moves_a_cursor(stream: io.StringIO, form: LogFormat, hostile: str) -> None:
    oplog.configure(form, "info", stream).event("held", subject=hostile, to=[hostile], where={"x": hostile})
    line = stream.getvalue()
    assert line.endswith("\n")
    assert line[:-1].isprintable()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("", '""'),
        ("two words", '"two words"'),
        ('say "hi"', r'"say \"hi\""'),
        ("a=b", '"a=b"'),
        (["a,b", "c"], '"a,b",c'),
        (["a,b"], '"a,b"'),
        (["a"], "a"),
        ([1], "[1]"),
        ([], "[]"),
        (True, "true"),
        (timedelta(minutes=5), "300s"),
        (MessageState.HELD, "held"),
        (ValueError("no such host"), '"ValueError: no such host"'),
        ({"later": 2}, '{"later": 2}'),
        ("Grüße", "Grüße"),
    ],
)
def test_values_can_be_told_apart(stream: io.StringIO, value: object, shown: str) -> None:
    assert text_line(stream, "x", value=value) == f"x value={shown}\n"


@pytest.mark.parametrize("form", list(LogFormat))
@pytest.mark.parametrize(
    "fields",
    [
        {"password": "canary"},
        {"upstream_password": "canary"},
        {"auth-token": "canary"},
        {"body": "canary"},
        {"secrets": {"token": ["canary"]}},
        {"content": b"canary"},
        {"chunk": b"canary"},
        {"url": "postgresql://guard:canary@db.corp.example/mail"},
        {"error": ConnectionError("cannot reach smtp://guard:canary@mx.corp.example")},
    ],
)
def test_what_looks_secret_is_masked(stream: io.StringIO, form: LogFormat, fields: dict[str, object]) -> None:
    oplog.configure(form, "info", stream).trouble("x", **fields)
    assert "canary" not in stream.getvalue()


def test_what_only_sounds_secret_is_shown(stream: io.StringIO) -> None:
    line = text_line(stream, "x", password_file="/run/secrets/up", body_kept=True, key="upstream.host")
    assert line == "x password_file=/run/secrets/up body_kept=true key=upstream.host\n"


def test_a_long_value_is_cut(stream: io.StringIO) -> None:
    assert len(text_line(stream, "x", value="y" * 100_000)) < oplog.LONGEST_VALUE + 100


@pytest.mark.parametrize("form", list(LogFormat))
def test_a_field_cannot_take_the_place_of_the_event(stream: io.StringIO, form: LogFormat) -> None:
    oplog.configure(form, "info", stream).event("held", event="sent", level="debug", at="never")
    line = stream.getvalue()
    if form is LogFormat.JSON:
        assert json.loads(line)["event"] == "held"
    else:
        assert line.split()[1] == "held"


def test_trouble_passes_a_level_that_events_do_not(stream: io.StringIO) -> None:
    log = oplog.configure(LogFormat.TEXT, "warning", stream)
    log.event("held", id="1")
    log.trouble("relay_failed", id="1")
    assert stream.getvalue().split(" ", 1)[1] == "WARNING relay_failed id=1\n"


def test_an_unknown_level_is_refused(stream: io.StringIO) -> None:
    with pytest.raises(ValueError, match="LOUD"):
        oplog.configure(LogFormat.TEXT, "loud", stream)


def test_configured_twice_logs_once(stream: io.StringIO) -> None:
    oplog.configure(LogFormat.JSON, "info", stream)
    oplog.configure(LogFormat.TEXT, "info", stream).event("held", id="1")
    assert stream.getvalue().count("\n") == 1


def test_the_smtp_library_does_not_log_what_clients_say(stream: io.StringIO) -> None:
    logging.getLogger("mail.log").setLevel(logging.DEBUG)
    oplog.configure(LogFormat.TEXT, "debug", stream)
    logging.getLogger("mail.log").info("b'AUTH PLAIN AGEAY2FuYXJ5'")
    assert stream.getvalue() == ""


@pytest.mark.parametrize("form", list(LogFormat))
def test_a_library_s_exception_is_one_line(stream: io.StringIO, form: LogFormat) -> None:
    oplog.configure(form, "info", stream)
    try:
        raise RuntimeError("line one\nline two")
    except RuntimeError:
        logging.getLogger("asyncio").exception("Task exception was never %s", "retrieved")
    line = stream.getvalue()
    assert line.count("\n") == 1
    assert "Task exception was never retrieved" in line
    assert "RuntimeError: line one\\nline two" in line
    assert "test_oplog.py" in line


def test_where_a_library_s_exception_came_from_is_shown_whole(stream: io.StringIO) -> None:
    oplog.configure(LogFormat.TEXT, "info", stream)

    def deeper(left: int) -> None:
        if not left:
            raise RuntimeError("deep down")
        deeper(left - 1)

    try:
        deeper(60)
    except RuntimeError:
        logging.getLogger("asyncio").exception("Task exception was never retrieved")
    line = stream.getvalue()
    assert len(line) > 2 * oplog.LONGEST_VALUE
    assert line.endswith(' deeper"\n')


def test_a_value_that_cannot_be_shown_is_in_the_way_of_nothing(stream: io.StringIO) -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError("no words for it")

    oplog.configure(LogFormat.TEXT, "info", stream).event("held", value=Broken())
    assert stream.getvalue().split(" ", 1)[1] == "WARNING log_fault about=held fault=RuntimeError\n"


def test_a_library_that_logs_badly_is_not_stopped() -> None:
    # In a process of its own: pytest's handler beside ours raises on purpose.
    program = (
        "import logging, mailguard.edge.oplog as o; o.configure(o.LogFormat.TEXT, 'info');"
        " logging.getLogger('asyncio').error('%d', 'no number'); print('goes on')"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout == "goes on\n"
    assert "Logging error" in told.stderr


def test_a_log_that_cannot_be_written_is_in_the_way_of_nothing(stream: io.StringIO) -> None:
    log = oplog.configure(LogFormat.TEXT, "info", stream)
    stream.close()
    log.event("held", id="1")
    logging.getLogger("asyncio").error("lost, too")


def test_importing_the_module_changes_nothing() -> None:
    program = (
        "import logging, mailguard.edge.oplog as o; print(logging.getLogger().handlers, logging.root.level)"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout == "[] 30\n"


def test_without_a_stream_lines_go_to_standard_error(
    stream: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    oplog.configure(LogFormat.TEXT, "info").event("listening", port=2525)
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.endswith("listening port=2525\n")
