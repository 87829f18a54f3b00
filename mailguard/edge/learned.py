"""Loads the learned model that comes with the package: judge_model.json.gz, made by
tests/benchmarks/ranking."""

import gzip
import json
from importlib import resources

from mailguard.core.recall.evidence import NAMES
from mailguard.core.recall.trees import Trees, parse

_FILE = "judge_model.json.gz"


def load() -> Trees:
    """The model. Raises ValueError where the file does not belong to this version."""
    return read(resources.files("mailguard.edge").joinpath(_FILE).read_bytes())


def read(packed: bytes) -> Trees:
    """The model of a file's content. Raises ValueError as `load` does."""
    return parse(json.loads(gzip.decompress(packed)), NAMES)
