from mailguard.core.recall.calibration import Calibration
from mailguard.core.recall.learnt import Learnt
from mailguard.core.recall.scene import Scene
from mailguard.core.recall.suspicion import chance, judge
from mailguard.edge.learned import load
from tests.core.recall.letters import letter, memory, reading

TREES = load()


def test_the_mail_is_as_suspect_as_its_worst_recipient() -> None:
    recall = memory(*(letter("b@corp.example c@corp.example", day=n) for n in range(5)))
    wrong = reading(letter("b@corp.example c@corp.example x@client.example", day=6))
    found = judge(recall, wrong, TREES, Calibration(TREES))
    assert found.score == found.scores["x@client.example"] == max(found.scores.values())


def test_a_mail_without_recipients_is_not_suspect() -> None:
    found = judge(memory(), reading(letter()), TREES, Calibration(TREES))
    assert (dict(found.scores), dict(found.reasons)) == ({}, {})


def test_beyond_a_crowd_nobody_is_judged_alone() -> None:
    crowd = " ".join(f"p{n}@corp.example" for n in range(150))
    assert len(judge(memory(), reading(letter(crowd)), TREES, Calibration(TREES)).scores) == 150


def test_warnings_can_be_switched_off_by_their_rate() -> None:
    recall = memory(*(letter("marie.dupont@client.example", "Bonjour Marie,", day=n) for n in range(9)))
    wrong = reading(letter("marie.duppont@client.example", "Bonjour Marie,", day=9))
    assert judge(recall, wrong, TREES, Calibration(TREES), warnings=5).reasons
    assert not judge(recall, wrong, TREES, Calibration(TREES), warnings=0).reasons


def test_a_chance_keeps_the_order() -> None:
    assert 0 < chance(-9) < chance(0) == 0.5 < chance(9) < 1


def test_the_judge_of_the_live_road_says_the_same_and_learns_what_is_usual() -> None:
    recall = memory(*(letter("b@corp.example", day=n) for n in range(5)))
    one = reading(letter("x@client.example", "Dear Karl,", day=6))
    live = Learnt(TREES)
    suspicion, per_thousand = live.suspicion(Scene(recall, one))["x@client.example"]
    assert suspicion == chance(judge(recall, one, TREES, Calibration(TREES)).score)
    for _ in range(2000):
        live.passed(suspicion)
    again = live.suspicion(Scene(recall, one))["x@client.example"]
    assert again[0] == suspicion
    assert again[1] > max(500, per_thousand)
    live.passed(0.0)
    live.passed(1.0)
