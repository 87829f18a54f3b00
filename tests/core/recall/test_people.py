from mailguard.core.recall.people import People, organisation


def test_the_registered_part_of_a_domain() -> None:
    assert organisation("mail.corp.example") == "corp.example"
    assert organisation("mail.corp.co.uk") == "corp.co.uk"
    assert organisation("corp") == "corp"


def test_people_are_found_by_what_an_autocompletion_would_look_for() -> None:
    people = People()
    marie = people.met("marie.dupont@client.example")
    assert marie.number in people.alike["mar"]
    assert marie.number in people.alike["dupont"]
    assert people.met("marie.dupont@client.example") is marie


def test_to_look_for_a_stranger_leaves_no_trace() -> None:
    people = People()
    assert people.find("x@y.example").number == -1
    assert not people.numbers
    assert not people.domains


def test_an_erased_person_is_nowhere() -> None:
    people = People()
    people.met("marie.dupont@client.example")
    people.name("marie.dupont@client.example", "Marie Dupont")
    people.erase("marie.dupont@client.example")
    left = repr((people.numbers, people.domains, people.alike, [p.address + p.local for p in people.known]))
    assert "client" not in left
    assert people.known[0].named == ()
    assert not any(people.alike.values())


def test_how_much_mail_an_organisation_had_part_in() -> None:
    people = People()
    people.met("marie.dupont@client.example").got += 2
    people.met("jean@mail.client.example").sent += 1
    assert people.exchanged("client.example") == 3
    assert people.exchanged("cliemt.example") == 0
