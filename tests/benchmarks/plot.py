"""Horizontal bars as an SVG, in groups; readable on a light and on a dark page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, LABEL, LONGEST = 720, 130, 500
BAR, GAP, HEAD = 18, 6, 30
COLOURS = {"mailguard": "#2f7d4f", "Postfix": "#8a8f98"}
OTHER = "#c3b47a"


@dataclass(frozen=True)
class Bar:
    """One of a group."""

    name: str
    value: float


def bars(title: str, groups: Mapping[str, Sequence[Bar]]) -> str:
    """The picture; all bars are on one scale."""
    most = max((bar.value for group in groups.values() for bar in group), default=0) or 1
    parts: list[str] = []
    y = HEAD + 10
    for name, group in groups.items():
        parts.append(f'<text x="0" y="{y + 14}" font-weight="bold">{escape(name)}</text>')
        y += HEAD - 6
        for bar in group:
            length = max(1, round(LONGEST * bar.value / most))
            colour = COLOURS.get(bar.name, OTHER)
            parts.append(f'<text x="{LABEL - 8}" y="{y + 14}" text-anchor="end">{escape(bar.name)}</text>')
            parts.append(f'<rect x="{LABEL}" y="{y}" width="{length}" height="{BAR}" fill="{colour}"/>')
            parts.append(f'<text x="{LABEL + length + 6}" y="{y + 14}">{bar.value:,.0f}</text>')
            y += BAR + GAP
        y += GAP
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}"'
        ' font-family="sans-serif" font-size="13">'
        "<style>text{fill:#222}@media(prefers-color-scheme:dark){text{fill:#ddd}}</style>"
    )
    return "\n".join(
        [head, f'<text x="0" y="18" font-size="15">{escape(title)}</text>', *parts, "</svg>", ""]
    )
