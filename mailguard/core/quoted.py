"""What a sender wrote in this very message: its text without quoted mail and signature.

Line by line, for the ways in which English and French mail programs quote (and German ones in part); a
grammar of regular expressions over the whole text takes quadratic time on some texts. In doubt a line
is the sender's own.
"""

import re
from collections.abc import Iterator, Sequence

_FORWARDED = re.compile(
    r"[-_ ]{2,}\s*(?:original message|forwarded message|message d['\u2019]origine|message original"
    r"|message initial|message transf[ée]r[ée]|urspr[uü]ngliche nachricht|weitergeleitete nachricht)[-_ ]*$"
    r"|begin forwarded message\s*:|d[ée]but du message (?:transf[ée]r[ée]|r[ée]exp[ée]di[ée])\s*:",
    re.IGNORECASE,
)
_OPENING = re.compile(r"(?:on|le|am)\s", re.IGNORECASE)
_WROTE = re.compile(r"(?:wrote|writes|a [ée]crit|schrieb.{0,80})\s?:$", re.IGNORECASE)
# The header that Outlook and others put over what they quote, in lines of its own.
_FROM = re.compile(r"[*_ ]*(?:from|de|von)[*_ ]*:[*_ ]*\S", re.IGNORECASE)
_NEXT = re.compile(
    r"[*_ ]*(?:sent|date|to|cc|subject|envoy[ée]|[àa]|objet|sujet|gesendet|an|betreff)[*_ ]*:", re.IGNORECASE
)
_TELEPHONE = re.compile(
    r"(?:sent from (?:my |outlook|mail for)|get outlook for |envoy[ée] (?:de mon |depuis |[àa] partir de )"
    r"|obtenir outlook pour |t[ée]l[ée]charger outlook pour |von meinem .{1,40} gesendet)",
    re.IGNORECASE,
)
# How every line begins, or ends, that may be something else than the sender's words. Most texts have their
# first such line far down, and are not looked at up to there. The first letter is asked for by itself, in
# both its forms: to look for a letter in a set is quick, and to look for a word in any case is not.
_SUSPECT = re.compile(
    r"\n[ \t]*+(?=[>*_\-\u2014oOlLaAfFdDvVsSgGeEtTbB])"
    r"(?:[>*_\-\u2014]|(?:[oO](?i:n|btenir)|[lL](?i:e)|[aA](?i:m)|[fF](?i:rom)|[dD](?i:e|[ée]but)"
    r"|[vV](?i:on)|[sS](?i:ent)|[gG](?i:et)|[eE](?i:nvoy[ée])|[tT](?i:[ée]l[ée]charger)|[bB](?i:egin))\b)"
)
_SUSPECT_END = re.compile(r":[ \t]*+(?=\n|\Z)")
_SIGNATURES = ("--", "\u2014", "__")
# Longer lines are prose, and not looked at.
_LONGEST = 300
_LINES = 20_000
_ATTRIBUTION_LINES = 4
_HEADER_LINES = 6


def own_text(text: str) -> str:
    """The text without quoted lines, their introductions, and everything from a signature on; of very
    many lines the first are read."""
    text = "\n" + text.replace("\u00a0", " ")
    ends = _SUSPECT_END.search(text) if ":" in text else None
    suspects = [match.start() for match in (_SUSPECT.search(text), ends) if match]
    if not suspects:
        return text.strip()
    begin = text.rfind("\n", 0, min(suspects) + 1) + 1
    rest = [line.strip() for line in text[begin:].split("\n", _LINES)[:_LINES]]
    return (text[:begin] + "\n".join(_own_lines(rest))).strip()


def _own_lines(lines: Sequence[str]) -> Iterator[str]:
    at = 0
    while at < len(lines):
        line = lines[at]
        if not line or len(line) > _LONGEST:
            yield line
            at += 1
            continue
        if _ends_here(lines, at):
            return
        introduced = _attribution(lines, at)
        if introduced and not _quote_follows(lines, at + introduced):
            # What follows is quoted without any mark.
            return
        if not introduced and not line.startswith(">") and not _TELEPHONE.match(line):
            yield line
        at += introduced or 1


def _ends_here(lines: Sequence[str], at: int) -> bool:
    """Whether nothing from this line on is the sender's own: a signature, or somebody else's mail."""
    line = lines[at]
    if line in _SIGNATURES or _FORWARDED.match(line):
        return True
    if set(line) == {"_"} and len(line) >= 10:
        following = next((other for other in lines[at + 1 : at + 4] if other), "")
        return _FROM.match(following[:_LONGEST]) is not None
    if not _FROM.match(line):
        return False
    return sum(_NEXT.match(other[:_LONGEST]) is not None for other in lines[at + 1 : at + _HEADER_LINES]) >= 2


def _attribution(lines: Sequence[str], at: int) -> int:
    """How many lines say here who wrote what is quoted next, as in "On <date> <name> wrote:"; 0 for none."""
    if lines[at].endswith(":") and _has_digit(lines[at]) and _quote_follows(lines, at + 1):
        # In whatever language: a line with a date, directly over quoted lines.
        return 1
    if not _OPENING.match(lines[at]):
        return 0
    for count in range(1, _ATTRIBUTION_LINES + 1):
        last = lines[at + count - 1 : at + count]
        if not last or not last[0] or len(last[0]) > _LONGEST:
            return 0
        # A program that wraps its lines may do so between the words.
        if _WROTE.search(" ".join(lines[max(at, at + count - 2) : at + count])):
            # Without a date or an address it is a sentence like any other.
            return count if any(_has_digit(line) or "@" in line for line in lines[at : at + count]) else 0
    return 0


def _has_digit(line: str) -> bool:
    return any(character.isdigit() for character in line)


def _quote_follows(lines: Sequence[str], at: int) -> bool:
    return next((line for line in lines[at : at + 3] if line), "").startswith(">")
