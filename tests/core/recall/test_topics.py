from mailguard.core.recall.topics import Topics


def _near(topics: Topics, *terms: int) -> dict[int, float]:
    return topics.near([(term, 3) for term in terms], 20)


def test_the_mail_with_the_rarer_words_in_common_is_nearer() -> None:
    topics = Topics(50)
    for mail in range(1, 20):
        topics.add(mail, [(1, 3), (100 + mail, 3)])
    near = _near(topics, 1, 105)
    assert max(near, key=near.__getitem__) == 5


def test_a_common_word_costs_no_more_than_the_limit() -> None:
    topics = Topics(10)
    for mail in range(1, 500):
        topics.add(mail, [(1, 3)])
    assert sorted(_near(topics, 1)) == list(range(490, 500))
    assert len(topics._posted) < 20


def test_a_word_in_every_mail_says_nothing_however_few_are_kept() -> None:
    topics = Topics(10)
    for mail in range(1, 500):
        topics.add(mail, [(1, 3), (mail // 2 + 1000, 3)])
    near = _near(topics, 1, 1248)
    assert near[497] > 50 * near[490]


def test_forgotten_mail_is_not_found() -> None:
    topics = Topics(10)
    for mail in range(1, 8):
        topics.add(mail, [(1, 3), (mail, 3)])
    topics.forget(5)
    assert min(_near(topics, 1, 2, 3, 4, 5, 6, 7)) == 5
    assert len(topics._posted) == 6


def test_what_is_known_of_a_common_word_goes_with_its_last_mail() -> None:
    topics = Topics(10)
    for mail in range(1, 100):
        topics.add(mail, [(1, 3)])
    topics.forget(95)
    assert topics._before
    topics.forget(100)
    assert not topics._before
    assert not _near(topics, 1)
