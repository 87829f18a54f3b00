"""Mail is found in every usual kind of folder, and its reader can go on where it stopped."""

import time
from pathlib import Path

import pytest

from mailguard.edge import folders

ONE = b"Subject: one\r\n\r\nOne.\r\n"
TWO = b"Subject: two\n\nTwo.\n\nFrome here on it is text.\n>From quoted\n"
MARK = b"From anne Sun Nov 22 10:00:00 2026\n"


def found(*paths: Path) -> list[bytes]:
    """All mails, stripped."""
    return [mail.content.strip() for source in folders.sources(paths) for mail in folders.mails(source)]


def mbox(path: Path, *mails: bytes) -> Path:
    """An mbox file of these."""
    path.write_bytes(b"".join(MARK + mail + b"\n" for mail in mails))
    return path


def test_mbox_with_either_line_end(tmp_path: Path) -> None:
    file = mbox(tmp_path / "old", ONE, TWO, ONE)
    assert found(file) == [ONE.strip(), TWO.strip(), ONE.strip()]
    crlf = tmp_path / "crlf"
    crlf.write_bytes(file.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    assert len(found(crlf)) == 3


def test_maildir_with_its_folders(tmp_path: Path) -> None:
    for name, flags in (
        ("cur", ":2,S"),
        ("new", ""),
        ("tmp", ""),
        (".Sent/cur", ":2,S"),
        (".Spam/cur", ":2,"),
    ):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / f"1.host{flags}").write_bytes(ONE)
    (tmp_path / "cur" / "2.host:2,DS").write_bytes(b"Subject: draft\r\n\r\n")
    (tmp_path / "cur" / "3.host:2,ST").write_bytes(b"Subject: trashed\r\n\r\n")
    assert found(tmp_path) == [ONE.strip()] * 3


def test_folders_of_files_and_a_single_one(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "a.eml").write_bytes(ONE)
    (tmp_path / "b" / "17").write_bytes(TWO)
    (tmp_path / "b" / "notes.txt").write_bytes(b"no mail")
    (tmp_path / "picture.eml").write_bytes(b"\x89PNG\r\n")
    mbox(tmp_path / "b" / "Sent", ONE)
    mbox(tmp_path / "b" / "Drafts", ONE)
    assert found(tmp_path) == [ONE.strip(), ONE.strip(), TWO.strip()]
    assert found(tmp_path / "a.eml") == [ONE.strip()]
    with pytest.raises(FileNotFoundError):
        found(tmp_path / "nowhere")


def test_a_reader_goes_on_where_it_stopped(tmp_path: Path) -> None:
    file = mbox(tmp_path / "old", ONE, TWO, ONE)
    (source,) = folders.sources([file])
    first = next(iter(folders.mails(source)))
    assert [mail.content.strip() for mail in folders.mails(source, first.place)] == [TWO.strip(), ONE.strip()]
    *_, last = folders.mails(source)
    assert not list(folders.mails(source, last.place))
    assert sum(mail.size for mail in folders.mails(source)) == source.size
    for name in ("1.eml", "2.eml", "3.eml"):
        (tmp_path / name).write_bytes(ONE)
    folder = next(one for one in folders.sources([tmp_path]) if one.names)
    assert [mail.place for mail in folders.mails(folder, "1.eml")] == ["2.eml", "3.eml"]


def test_a_place_in_a_file_that_was_rewritten_begins_anew(tmp_path: Path) -> None:
    (source,) = folders.sources([mbox(tmp_path / "old", ONE, TWO)])
    assert len(list(folders.mails(source, "7"))) == 2
    assert len(list(folders.mails(source, "no number"))) == 2


def test_a_file_that_was_moved_meanwhile(tmp_path: Path) -> None:
    (tmp_path / "1.eml").write_bytes(ONE)
    (tmp_path / "2.eml").write_bytes(ONE)
    (source,) = folders.sources([tmp_path])
    (tmp_path / "1.eml").unlink()
    assert [mail.place for mail in folders.mails(source)] == ["2.eml"]


def test_a_large_mbox_is_read_once(tmp_path: Path) -> None:
    # To look for the next mail to the end of the file, again for each, would take minutes.
    file = mbox(tmp_path / "old", *[ONE + b"x" * 1500 + b"\n"] * 10_000)
    started = time.process_time()
    assert len(found(file)) == 10_000
    assert time.process_time() - started < 5
