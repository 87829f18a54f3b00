"""What it costs to judge a message where its sender has tens of thousands of mails in the memory.

    python -m tests.benchmarks.judging CORPUS.jsonl.gz [--internal DOMAIN] [--mails 50000] [--judged 400]
        [--as-sent] [--from-log]

All mails of the corpus are taken for those of one sender, but for `--as-sent`: the first ones are remembered,
the next ones judged, on the road of the live guard: read, everything looked up, all checks run. Times are of
the processor, which a busy machine makes longer, too, but less so than those of a clock. The bytes are what
the process has grown by, all that it keeps at hand with it. With `--from-log` the memory is made from lines
of the log, as the guard makes it when it starts, and the time is that of making it.
"""

import argparse
import gc
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from mailguard.core.recall.dialogue import Dialogue, every_check, letter
from mailguard.core.recall.digest import read
from mailguard.core.recall.hashing import Digests
from mailguard.core.recall.learnt import Learnt
from mailguard.core.recall.observation import decode, encode
from mailguard.edge.learned import load as load_model
from tests.benchmarks.ranking.corpus import messages

SHARES = (0.5, 0.9, 0.99)


def main() -> None:
    """The program."""
    wants = argparse.ArgumentParser(description=__doc__)
    wants.add_argument("corpus", type=Path)
    wants.add_argument("--internal", action="append", default=[])
    wants.add_argument("--mails", type=int, default=50_000)
    wants.add_argument("--judged", type=int, default=400)
    wants.add_argument("--as-sent", action="store_true", help="leave every mail its own sender")
    wants.add_argument("--from-log", action="store_true", help="make the memory as a guard that starts")
    given = wants.parse_args()
    own = _as_sent(given.corpus) if given.as_sent else _of_one(given.corpus, given.internal)
    digests = Digests(b"cost")
    dialogue = Dialogue(
        judge=Learnt(load_model()), digests=digests, policy=every_check(tuple(given.internal), 1.0)
    )
    each, kept = _remembered(dialogue, islice(own, given.mails), digests if given.from_log else None)
    mails = len(dialogue.memory)
    gc.freeze()
    took = _judged(dialogue, islice(own, given.judged))
    times = sorted(one for one, _ in took)
    single = sorted(one for one, people in took if people == 1)
    people = sum(count for _, count in took) / len(took)
    print(
        f"{mails} mails of {len(dialogue.memory.recall.habits)} senders remembered: {each:.2f} ms each, "
        f"{'out of the log' if given.from_log else 'the reading of both included'}, and {kept:.0f} bytes"
    )
    print(
        f"{len(took)} judged, to {people:.1f} recipients on average: "
        + ", ".join(f"{100 * share:g} % within {times[int(len(times) * share)]:.1f} ms" for share in SHARES)
    )
    if single:
        print(f"to one recipient: median {single[len(single) // 2]:.1f} ms")


def _remembered(
    dialogue: Dialogue, mails: Iterable[dict[str, Any]], to_log: Digests | None
) -> tuple[float, float]:
    """Of each mail the milliseconds of its remembering, and the bytes; `to_log` has them read beforehand."""
    log = [encode(read(letter(one), to_log).observation) for one in mails] if to_log else []
    begin, held = time.process_time(), _held()
    for message in mails:
        dialogue.answer({"op": "observe", "msg": message})
    for line in log:
        dialogue.memory.observe(decode(line))
    took = time.process_time() - begin
    # The guard does the same with its memory: there are no circles in it.
    gc.collect()
    return 1e3 * took / len(dialogue.memory), (_held() - held) / len(dialogue.memory)


def _judged(dialogue: Dialogue, mails: Iterable[dict[str, Any]]) -> list[tuple[float, int]]:
    """Of each mail the milliseconds of its judging, and how many recipients it has."""
    took = []
    for message in mails:
        begin = time.process_time()
        dialogue.answer({"op": "score", "msg": message})
        took.append((1e3 * (time.process_time() - begin), len(message["to"]) + len(message["cc"])))
    return took


def _held() -> int:
    """Bytes of memory that the process has."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _as_sent(corpus: Path) -> Iterator[dict[str, Any]]:
    return (message for message in messages(corpus) if message["to"] or message["cc"])


def _of_one(corpus: Path, internal: Sequence[str]) -> Iterator[dict[str, Any]]:
    """All mails of a corpus as if one person had written them."""
    for message in messages(corpus):
        domain = internal[0] if internal else message["from"].rpartition("@")[2]
        if message["to"] or message["cc"]:
            yield {**message, "from": f"one@{domain}", "from_name": ""}


if __name__ == "__main__":
    main()
