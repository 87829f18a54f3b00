"""What every log of what was observed must do, whatever lies below."""

from mailguard.core.recall.observation import Observation
from mailguard.ports import Entry, Records

BOB = "bob@client.example"
BEGINNING = (-(1 << 62), 0)


def entry(number: int, when: int, *to: str, sender: str = "anne@corp.example") -> Entry:
    """A mail with a mark of its own."""
    return Entry(mark=number, observation=Observation(when=when, sender=sender, to=to or (BOB,)))


async def whole(records: Records, chunk: int = 2) -> list[Entry]:
    """All of it, read in chunks."""
    found: list[Entry] = []
    after, upto = BEGINNING, await records.latest()
    while some := await records.read(after, upto, chunk):
        found += some
        after = (some[-1].observation.when, some[-1].number)
    return found


class RecordsContract:
    """ports.Records."""

    async def test_in_the_order_of_time_and_each_once(self, records: Records) -> None:
        assert await records.append([entry(1, 50), entry(2, 10), entry(3, 50)]) == [1, 2, 3]
        assert await records.append([entry(2, 10), entry(4, -7)]) == [0, 4]
        assert [one.mark for one in await whole(records)] == [4, 2, 1, 3]
        assert [one.mark for one in await records.read(BEGINNING, 2, 9)] == [2, 1]
        assert await records.latest() == 4

    async def test_two_copies_of_one_mail_at_once_are_one(self, records: Records) -> None:
        assert await records.append([entry(1, 50), entry(1, 50), entry(2, 51)]) == [1, 0, 2]
        assert await records.append([]) == []

    async def test_what_came_since_in_the_order_in_which_it_came(self, records: Records) -> None:
        await records.append([entry(1, 50), entry(2, 10)])
        await records.append([entry(3, 30)])
        assert [one.mark for one in await records.since(0, 9)] == [1, 2, 3]
        assert [one.mark for one in await records.since(1, 1)] == [2]
        assert await records.since(3, 9) == []

    async def test_what_the_judge_thought_comes_back(self, records: Records) -> None:
        judged = Entry(mark=1, observation=entry(1, 5).observation, score=0.5, judged_by=9)
        await records.append([judged])
        (found,) = await whole(records)
        assert (found.score, found.judged_by, found.observation) == (0.5, 9, judged.observation)

    async def test_old_entries_are_forgotten(self, records: Records) -> None:
        await records.append([entry(number, number) for number in range(10)])
        assert await records.forget(7) == 7
        assert [one.observation.when for one in await whole(records)] == [7, 8, 9]

    async def test_a_person_is_taken_out(self, records: Records) -> None:
        await records.append(
            [
                entry(1, 1, BOB, "carl@corp.example"),
                entry(2, 2, BOB),
                entry(3, 3, "anne@corp.example", sender=BOB),
                entry(4, 4, "xbob@client.example"),
            ]
        )
        await records.add_meant(
            "anne@corp.example", [("first_contact", BOB), ("first_contact", "eve@x.example")]
        )
        await records.add_meant(BOB, [("first_contact", "anne@corp.example")])
        assert await records.erase(BOB) == 5
        left = await whole(records)
        assert [one.observation.to for one in left] == [("carl@corp.example",), ("xbob@client.example",)]
        assert await records.meant() == {"anne@corp.example": {("first_contact", "eve@x.example")}}

    async def test_how_far_a_reader_got(self, records: Records) -> None:
        assert await records.place("/mail/old.mbox") is None
        await records.append([entry(1, 1)], source="/mail/old.mbox", place="100")
        await records.append([entry(1, 1)], source="/mail/old.mbox", place="200")
        assert await records.place("/mail/old.mbox") == "200"
        await records.all_read(["/mail/old.mbox", "/mail/other"])
        assert await records.place("/mail/old.mbox") is None
