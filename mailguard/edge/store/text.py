"""Text as every database can hold it."""

import json

import msgspec

_exactly = json.JSONEncoder(separators=(",", ":"), default=str).encode
_quickly = msgspec.json.Encoder(enc_hook=str).encode


def encoded(value: object) -> str:
    """JSON in one line; what JSON has no form for as a string, times and durations as in ISO 8601."""
    try:
        return _quickly(value).decode()
    except UnicodeEncodeError:
        # Half a surrogate pair from a broken header: no text that could be written but as an escape.
        return _exactly(value)


def storable(text: str) -> str:
    """A question mark for a NUL and for half a surrogate pair, which a broken header can bring."""
    if text.isascii():
        return text.replace("\0", "?")
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "?")
