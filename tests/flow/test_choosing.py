"""What people choose for themselves."""

from mailguard.core.actor import ADMIN
from mailguard.flow.choosing import Choosing
from tests.flow.parts import ANNE, BOB, Parts


async def test_people_choose_for_themselves(parts: Parts) -> None:
    verbs = Choosing(parts.preferences).verbs
    asked = await verbs["preferences"]({}, ANNE)
    assert asked["preferences"] == {"language": None, "notify": None}
    told = await verbs["prefer"]({"language": "fr", "notify": "always"}, ANNE)
    assert (told["told"], told["preferences"]) == ("done", {"language": "fr", "notify": "always"})
    assert (await verbs["preferences"]({}, ANNE))["preferences"] == told["preferences"]
    assert (await verbs["preferences"]({}, BOB))["preferences"] == asked["preferences"]
    await verbs["prefer"]({"language": None}, ANNE)
    assert (await verbs["preferences"]({}, ANNE))["preferences"] == asked["preferences"]


async def test_what_makes_no_sense_is_refused_and_changes_nothing(parts: Parts) -> None:
    verbs = Choosing(parts.preferences).verbs
    wrongs: list[dict[str, object]] = [
        {"language": "tlh"},
        {"notify": "sometimes"},
        {"notify": 7},
        {"language": []},
    ]
    for wrong in wrongs:
        told = await verbs["prefer"]({"notify": "never", **wrong}, ANNE)
        assert told["told"] == "refused" and "expected" in str(told["text"])
    assert (await verbs["preferences"]({}, ANNE))["preferences"] == {"language": None, "notify": None}


async def test_the_admin_of_the_machine_is_no_person(parts: Parts) -> None:
    for verb in Choosing(parts.preferences).verbs.values():
        assert (await verb({}, ADMIN))["told"] == "refused"
