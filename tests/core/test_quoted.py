"""What the sender wrote, without what was quoted."""

import time

import pytest

from mailguard.core.quoted import own_text


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("Hello\n\nBob", "Hello\n\nBob"),
        ("Hi\n> old\nyes\n> older\n", "Hi\nyes"),
        ("Hi\n\nOn Mon, Jan 1, 2024 at 10:00 AM Bob <bob@x.y> wrote:\n> old\nno\n", "Hi\n\nno"),
        ("Hi\n\nOn Mon, Jan 1, 2024 Bob wrote:\nold without any mark\n", "Hi"),
        ("Oui\n\nLe lun. 1 janv. 2024 à 10:00, Bob\n<bob@x> a écrit\u00a0:\n\n> vieux\n", "Oui"),
        ("Ja\nAm 01.01.2024 um 10:00 schrieb Bob:\n> alt\n", "Ja"),
        ("Oui\n\nDe : Bob <b@x>\nEnvoyé : lundi 1\nÀ : A\nObjet : x\n\nci-joint", "Oui"),
        ("Yes\n\n*From:* Bob <b@x>\n*Sent:* Monday\n*To:* A\n*Subject:* x\n\nattached", "Yes"),
        ("a\n________________________________\nFrom: Bob\nSent: Mon\nTo: x\n\nz", "a"),
        ("a\n-----Original Message-----\nattached", "a"),
        ("a\n-------- Message d\u2019origine --------\nci-joint", "a"),
        ("See below\n---------- Forwarded message ---------\nFrom: x", "See below"),
        ("Voir\n\nDébut du message transféré :\n\nDe: x", "Voir"),
        ("Hello\n-- \nBob\nAttached Ltd.", "Hello"),
        ("ok\n\nSent from my iPhone", "ok"),
        ("ok\n\nEnvoyé de mon iPhone", "ok"),
        # Another language: a line with a date, directly over quoted lines.
        ("ok\n2024-01-01 10:00 GMT, Bob <b@x>:\n\n> old", "ok"),
        # The sender's own words, although they look alike.
        ("On the other hand:\n- one\n- two", "On the other hand:\n- one\n- two"),
        ("From: here\nto there", "From: here\nto there"),
        ("Le dossier que Bob a écrit :\nle voici", "Le dossier que Bob a écrit :\nle voici"),
        ("a\n__________\nb", "a\n__________\nb"),
        ("", ""),
    ],
)
def test_own_text(text: str, own: str) -> None:
    assert own_text(text) == own


PIECES = [
    "\n",
    " \n",
    ">\n",
    "> ",
    "On 1\n",
    "On ",
    "Le 2\n",
    "From: a\n",
    "1:\n",
    "1:\n\n\n",
    "____________\n",
    "-- x\n",
]


@pytest.mark.parametrize("piece", PIECES)
def test_long_texts_cost_little(piece: str) -> None:
    begun = time.perf_counter()
    own_text(piece * (262_144 // len(piece)))
    assert time.perf_counter() - begun < 2
