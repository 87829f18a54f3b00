from mailguard.core.recollection import NOTHING, Acquaintance, Recollection


def test_a_message_is_as_suspect_as_its_worst_recipient() -> None:
    people = {
        name: Acquaintance(address=name, per_thousand=share) for name, share in (("a", 700.0), ("b", 4.0))
    }
    assert Recollection(people=people).per_thousand == 4.0


def test_where_nothing_is_known_nothing_is_suspect() -> None:
    assert NOTHING.per_thousand == 1000.0
