import threading

from sqlalchemy import event

from console.facade_fragments import KEPT, Fragment, Fragments
from console.facade_kept import APART_S, OLDEST_S, Kept, Pictures
from devices.database import reading, writing
from tests.console.block import Block
from tests.console.estates import LONG, build, changed, hang


class Clock:
    """Seconds that tests move."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_it_is_read_once_for_each_version() -> None:
    reads: list[int] = []
    kept: Kept[int] = Kept(monotonic=Clock())

    def read() -> int:
        reads.append(1)
        return len(reads)

    assert [kept.of(version, read) for version in (1, 1, 2, 2, 1)] == [1, 1, 2, 2, 3]


def test_in_a_storm_it_is_read_no_oftener_than_it_may() -> None:
    clock, versions = Clock(), iter(range(1000))
    kept: Kept[float] = Kept(APART_S, monotonic=clock)
    found = []
    for _ in range(200):
        found.append(kept.of(next(versions), clock))
        clock.now += 0.02
    assert len(set(found)) == 8


def test_what_takes_long_rests_many_times_as_long() -> None:
    clock = Clock()

    def slow() -> float:
        clock.now += 3
        return clock.now

    kept: Kept[float] = Kept(rest=20, monotonic=clock)
    first = kept.of(1, slow)
    clock.now += 50
    assert kept.of(2, slow) == first
    clock.now += 10
    assert kept.of(2, slow) > first


def test_who_asks_while_another_reads_gets_the_old_one_after_a_moment() -> None:
    begun, go_on = threading.Event(), threading.Event()
    kept: Kept[str] = Kept()
    assert kept.of(1, lambda: "old") == "old"

    def read() -> str:
        begun.set()
        assert go_on.wait(20)
        return "new"

    reader = threading.Thread(target=lambda: kept.of(2, read))
    reader.start()
    assert begun.wait(20)
    assert kept.of(2, lambda: "never asked") == "old"
    go_on.set()
    reader.join()
    assert kept.of(2, lambda: "never asked") == "new"


def test_a_read_that_fails_is_tried_again_by_the_next() -> None:
    kept: Kept[int] = Kept()

    def fails() -> int:
        raise ValueError

    for _ in range(2):
        try:
            kept.of(1, fails)
        except ValueError:
            continue
        raise AssertionError
    assert kept.of(1, lambda: 5) == 5


def now(pictures: Pictures, block: Block) -> object:
    with reading(block.engine) as connection:
        return pictures.now(connection, block.clock())


def test_the_picture_is_the_same_until_something_is_another(block: Block) -> None:
    clock = Clock()
    pictures = Pictures(clock)
    first = now(pictures, block)
    assert now(pictures, block) is first
    clock.now += APART_S + 0.1
    assert now(pictures, block) is first
    block.smoke("501")
    block.decide()
    second = now(pictures, block)
    assert second is not first
    clock.now += OLDEST_S
    assert now(pictures, block) is not second


def test_a_building_that_was_just_registered_is_drawn(block: Block) -> None:
    clock = Clock()
    pictures = Pictures(clock)
    with reading(block.engine) as connection:
        assert len(pictures.now(connection, block.clock()).estate.houses) == 1
    build(block, [LONG])
    clock.now += 60
    with reading(block.engine) as connection:
        picture = pictures.now(connection, block.clock())
    assert {house.name for house in picture.estate.houses.values()} == {"7号楼", "12号楼"}


def test_a_device_that_was_just_hung_up_is_known(block: Block) -> None:
    clock, pictures = Clock(), Pictures()
    pictures = Pictures(clock)
    with reading(block.engine) as connection:
        (house,) = pictures.now(connection, block.clock()).estate.houses.values()
    assert house.bare == set(block.dwellings.values())
    with writing(block.engine) as connection:
        hang(connection, [block.dwellings["501"]])
        changed(connection)
    clock.now += 60
    with reading(block.engine) as connection:
        (house,) = pictures.now(connection, block.clock()).estate.houses.values()
    assert house.bare == {block.dwellings["502"], block.dwellings["401"]}


def test_a_hundred_questions_after_one_change_are_few_statements_each(block: Block) -> None:
    pictures, seen = Pictures(), list[str]()
    now(pictures, block)
    event.listen(block.engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
    with reading(block.engine) as connection:
        for _ in range(100):
            pictures.now(connection, block.clock())
    selects = [one for one in seen if one.lstrip().startswith("SELECT")]
    assert len(selects) <= 5 * 100


def test_a_page_that_shows_it_already_is_sent_nothing() -> None:
    fragment = Fragment.named("<p>x</p>")
    assert fragment.answer(fragment.name, 5).status_code == 204
    sent = fragment.answer("other", 5)
    assert sent.status_code == 200
    body = bytes(sent.body).decode()
    assert "<p>x</p>" in body
    assert 'data-now-us="5"' in body
    assert Fragment.named("<p>y</p>").name != fragment.name


def test_a_fragment_is_made_once_for_all_and_anew_for_another_source() -> None:
    fragments, made, sources = Fragments(), list[int](), [object(), object()]

    def make() -> str:
        made.append(1)
        return str(len(made))

    for source in (sources[0], sources[0], sources[1], sources[1]):
        fragments.of(("a",), source, make)
    assert len(made) == 2
    fragments.of(("b",), sources[1], make)
    assert len(made) == 3
    for n in range(KEPT + 5):
        fragments.of((n,), sources[1], make)
    before = len(made)
    fragments.of(("b",), sources[1], make)
    assert len(made) == before + 1
