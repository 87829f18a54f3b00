"""The table of docs/performance.md: the guard and Postfix side by side, taking mail and letting it go.

make benchmark ARGS='--peers --plot docs/performance.svg'
"""

import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.benchmarks import accept, drain, measuring
from tests.benchmarks.measuring import Run, cost, rate
from tests.benchmarks.plot import Bar, bars

NAMES = {
    "postfix": "Postfix",
    "mailguard": "mailguard",
    "single": "mailguard in one process",
    "aiosmtpd": "bare aiosmtpd",
    "protocol": "bare protocol",
}
Figures = Mapping[str, Sequence[Run]]


def machine() -> str:
    """What the figures were taken on."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores of {model}, Python {platform.python_version()}, Linux {platform.release()};"
        f" load average {load:.1f}"
    )


def by_load(accepted: Figures, drained: Figures) -> dict[str, dict[str, Sequence[Run]]]:
    """Everybody's figures, by load and then by name."""
    loads: dict[str, dict[str, Sequence[Run]]] = {}
    for name, values in accepted.items():
        who, _, load = name.partition(", ")
        loads.setdefault(f"taken, {load}", {})[who] = values
    loads["sent, all due at once"] = dict(drained)
    return loads


def table(loads: Mapping[str, Mapping[str, Sequence[Run]]]) -> str:
    """As Markdown: medians of messages a second, with the lowest and the highest, and the cost of one."""
    whos = [who for who in NAMES if any(who in row for row in loads.values())]
    lines = [
        "| load | " + " | ".join(NAMES[who] for who in whos) + " | mailguard / Postfix |",
        "| --- " * (len(whos) + 2) + "|",
    ]
    for load, row in loads.items():
        cells = [_cell(row[who]) if who in row else "" for who in whos]
        ratio = rate(row["mailguard"]) / rate(row["postfix"])
        lines.append(f"| {load} | " + " | ".join(cells) + f" | {ratio:.2f} |")
    return "\n".join(lines)


def _cell(runs: Sequence[Run]) -> str:
    rates = [run.rate for run in runs]
    return f"{rate(runs):.0f} ({min(rates):.0f} to {max(rates):.0f}); {cost(runs):.0f} us"


def main() -> None:
    """Run it."""
    chosen = measuring.options("The guard and Postfix side by side.", count=10_000)
    before = machine()
    with measuring.workplace(chosen) as place:
        accepted = accept.figures(chosen, place)
        drained = drain.figures(chosen, place)
    loads = by_load(accepted, drained)
    if chosen.plot:
        chosen.plot.write_text(
            bars(
                "messages a second, median",
                {
                    load: [Bar(NAMES[who], rate(values)) for who, values in row.items()]
                    for load, row in loads.items()
                },
            )
        )
    if chosen.json:
        rates = {
            load: {who: [run.rate for run in runs] for who, runs in row.items()}
            for load, row in loads.items()
        }
        print(json.dumps({"machine": before, "per_second": rates}))
        return
    print(
        f"{chosen.runs} runs of {chosen.count} messages of {chosen.length} bytes, {chosen.sessions} at once"
    )
    print(before, file=sys.stdout)
    print(table(loads))


if __name__ == "__main__":
    main()
