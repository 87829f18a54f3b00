"""Text as every database can hold it."""


def storable(text: str) -> str:
    """A question mark for a NUL and for half a surrogate pair, which a broken header can bring."""
    if text.isascii():
        return text.replace("\0", "?")
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "?")
