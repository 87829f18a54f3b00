"""How a verb ends: one line or one JSON value on the output, the truth in the exit code."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

from mailguard.core.told import Told

Json = Mapping[str, object]


def told(answer: Json) -> Told:
    """The one word of an answer."""
    return Told(str(answer["told"]))


def exit_code(answers: Sequence[Json]) -> int:
    """0 where all is done, else that of the first answer that is not."""
    return next((code for code in (told(answer).exit_code for answer in answers) if code), 0)


def print_json(value: object) -> None:
    """One JSON value, for scripts."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def say(answer: Json) -> None:
    """One sentence: good news on the output, bad news on the error output."""
    text = "".join(char if char.isprintable() or char == "\n" else "?" for char in str(answer["text"]))
    stream = sys.stdout if told(answer).exit_code == 0 else sys.stderr
    if text:
        stream.write(text + "\n")


def outcome(answer: Json) -> Json:
    """An answer as scripts read it."""
    return {"result": answer["told"], "text": answer["text"], "message": answer.get("message")}


def end(answers: Sequence[Json], *, as_json: bool, single: bool = False) -> NoReturn:
    """Say all the answers and leave with their exit code."""
    if as_json:
        outcomes = [outcome(answer) for answer in answers]
        print_json(outcomes[0] if single else outcomes)
    else:
        for answer in answers:
            say(answer)
    sys.exit(exit_code(answers))


def need(answer: Json, *, as_json: bool) -> Json:
    """The answer where it is good; else its end."""
    if told(answer).exit_code:
        end([answer], as_json=as_json, single=True)
    return answer
