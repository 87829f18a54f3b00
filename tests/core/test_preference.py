"""Under which name a choice is kept."""

from mailguard.core.preference import person


def test_the_login_counts_and_without_one_the_address() -> None:
    assert person("Anne", "anne@corp.example") == "Anne"
    assert person(None, "Anne@CORP.example") == "anne@corp.example"
