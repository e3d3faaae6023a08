from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alerts.channel_proofs import Bounced, Proof, Sent, bounced_channels, note_sent
from devices.database import open_database, reading, writing

SENT = st.lists(st.builds(Sent, st.just(7), st.integers(1, 9), st.booleans()), max_size=6)


def after(sent: list[Sent]) -> Proof:
    proof = Proof()
    for one in sent:
        proof = proof.after(one)
    return proof


@given(SENT)
def test_a_way_bounces_while_its_newest_message_did_whatever_the_order_in_which_one_hears(
    sent: list[Sent],
) -> None:
    proof = after(sent)
    newest = max(sent, key=lambda one: (one.sent_us, one.delivered), default=None)
    bounces = proof.bounced_us is not None and proof.bounced_us > (proof.delivered_us or 0)
    assert bounces == (newest is not None and not newest.delivered)
    assert bounces == (proof.times > 0 and proof.first_us is not None)


def test_it_is_counted_since_the_last_that_was_delivered() -> None:
    proof = after([Sent(7, 1, False, "a"), Sent(7, 2, True), Sent(7, 3, False, "b"), Sent(7, 4, False, "c")])
    assert proof == Proof(2, 4, 3, 2, "c")


def test_what_is_known_is_kept_and_ended_by_a_later_message(database: str) -> None:
    engine = open_database(database)
    with writing(engine) as connection:
        note_sent(connection, [Sent(7, 1, False, "GONE"), Sent(8, 1, False, "OFF"), Sent(9, 1, True)])
        note_sent(connection, [Sent(7, 3, False, "GONE"), Sent(8, 2, True)])
        note_sent(connection, [])
    with reading(engine) as connection:
        assert bounced_channels(connection) == {7: Bounced(1, 3, 2, "GONE")}
    engine.dispose()
