"""Which spelling of message ids is proposed, on what evidence, and when none is."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whiteroute.engine.messages import AcceptedId, IdLesson, Privacy, ReceivedId, learn_message_ids
from whiteroute.pdu import MessageIdKind

K = MessageIdKind
MINUTE = 60_000_000
HASHING = Privacy(numbers="hashed", key=b"k" * 16)
IDS = [0x4B1F00 + 7919 * number for number in range(30)]
"""Far enough apart that none is another one's digits in another base."""


def number_of(place: int) -> str:
    return f"+34600{place:06}"


def accepted(ids: Sequence[str], **changes: object) -> list[AcceptedId]:
    return [
        AcceptedId(message_id=each, **({"to": number_of(place), "started_at": MINUTE} | changes))
        for place, each in enumerate(ids)
    ]


def received(ids: Sequence[str], **changes: object) -> list[ReceivedId]:
    return [
        ReceivedId(
            message_id=each,
            **(
                {"source_addr": number_of(place)[1:], "destination_addr": "ACME"}
                | {"received_at": 2 * MINUTE}
                | changes
            ),
        )
        for place, each in enumerate(ids)
    ]


def pair(lesson: IdLesson) -> tuple[MessageIdKind, MessageIdKind] | None:
    proposal = lesson.proposal
    return None if proposal is None else (proposal.response.kind, proposal.receipt.kind)


@pytest.mark.parametrize(
    ("in_response", "in_receipt", "expected"),
    [
        ("{:X}", "{}", (K.HEX, K.DECIMAL)),
        ("{}", "{:x}", (K.DECIMAL, K.HEX)),
        ("{:X}", "{:x}", (K.CASEFOLD, K.CASEFOLD)),
        ("{:010}", "{}", (K.STRIP_ZEROS, K.STRIP_ZEROS)),
        ("{:010X}", "{:x}", (K.HEX, K.HEX)),
        ("{:010}", "{:#x}", (K.DECIMAL, K.HEX)),
        ("{}", "{}", (K.RAW, K.RAW)),
    ],
)
def test_the_pair_of_spellings_is_found(
    in_response: str, in_receipt: str, expected: tuple[MessageIdKind, MessageIdKind]
) -> None:
    lesson = learn_message_ids(
        accepted([in_response.format(each) for each in IDS]),
        received([in_receipt.format(each) for each in IDS]),
    )

    assert expected == pair(lesson)
    assert lesson.proposal is not None
    proposal = lesson.proposal
    assert (30, 30, 30, 0, 0, 0) == (
        proposal.matched,
        proposal.confirmed,
        proposal.rescued,
        proposal.contradicted,
        proposal.ambiguous,
        proposal.unmatched,
    )
    assert (30, 30, 30) == (lesson.accepted, lesson.received, lesson.waiting)
    assert "propose" == lesson.finding.code


def test_text_written_as_octets_is_found() -> None:
    ids = [f"MSG-{each}" for each in IDS]

    lesson = learn_message_ids(accepted(ids), received([each.encode().hex() for each in ids]))

    assert (K.RAW, K.HEX_STRING) == pair(lesson)


def test_numbers_of_any_size_are_found() -> None:
    ids = [0x812FC7470000001B + 7919 * number for number in range(30)]

    lesson = learn_message_ids(
        accepted([f"{each:X}" for each in ids]), received([str(each) for each in ids])
    )

    assert (K.HEX, K.DECIMAL) == pair(lesson)
    assert lesson.proposal is not None
    first = lesson.proposal.examples[0]
    assert ("812FC7470000001B", "9308878062554710043", "9308878062554710043") == (
        first.response,
        first.receipt,
        first.key,
    )


@pytest.mark.parametrize("seen", [0, 1, 19])
def test_fewer_than_twenty_teach_nothing(seen: int) -> None:
    lesson = learn_message_ids(
        accepted([f"{each:X}" for each in IDS[:seen]]),
        received([str(each) for each in IDS[:seen]]),
    )

    assert (None, "too_few") == (pair(lesson), lesson.finding.code)


def test_twenty_are_enough_and_how_many_are_may_be_said() -> None:
    ids, receipts = [f"{each:X}" for each in IDS], [str(each) for each in IDS]

    assert (K.HEX, K.DECIMAL) == pair(learn_message_ids(accepted(ids), received(receipts[:20])))
    assert None is pair(learn_message_ids(accepted(ids), received(receipts[:20]), least=21))


def test_what_is_told_twice_of_one_message_counts_once() -> None:
    ids = [f"{each:X}" for each in IDS[:19]]

    lesson = learn_message_ids(
        accepted([*ids, "A-0"]), received([str(each) for each in IDS[:19]] * 2)
    )

    assert (19, "too_few") == (lesson.received, lesson.finding.code)


def test_receipts_that_all_found_their_messages_need_no_change() -> None:
    ids = [str(each) for each in IDS]

    lesson = learn_message_ids(accepted(ids), received(ids, is_matched=True))

    assert (None, "nothing_new", 0) == (pair(lesson), lesson.finding.code, lesson.waiting)


def test_a_few_that_wait_are_no_ground_for_a_change() -> None:
    ids = [str(each) for each in IDS]

    lesson = learn_message_ids(
        accepted(ids), [*received(ids, is_matched=True), *received(["elsewhere-1", "elsewhere-2"])]
    )

    assert (None, "nothing_new", 2) == (pair(lesson), lesson.finding.code, lesson.waiting)
    assert "0 of the 2 that wait" in lesson.finding.words


def test_a_carrier_that_has_changed_its_spelling_is_told_and_nothing_proposed() -> None:
    ids = [f"{each:X}" for each in IDS]
    later = [each + 1_000_000 for each in IDS[:20]]

    lesson = learn_message_ids(
        [*accepted(ids), *accepted([f"{each:X}" for each in later])],
        [*received(ids, is_matched=True), *received([str(each) for each in later])],
    )

    assert (None, "two_spellings") == (pair(lesson), lesson.finding.code)
    assert "hex in responses and decimal in receipts 20 of the 20 that wait" in lesson.finding.words


def test_a_receipt_that_found_its_message_once_has_found_it() -> None:
    ids = [str(each) for each in IDS]

    lesson = learn_message_ids(
        accepted(ids), [*received(ids, is_matched=True), *received(ids, is_matched=False)]
    )

    assert 0 == lesson.waiting


def test_ids_of_another_world_match_under_no_pair() -> None:
    lesson = learn_message_ids(
        accepted([f"{each:X}" for each in IDS]), received([f"r-{each}" for each in IDS])
    )

    assert (None, "no_pair", ()) == (pair(lesson), lesson.finding.code, lesson.candidates)


def test_ids_that_become_one_under_a_rule_speak_against_it() -> None:
    ids = [f"{each:X}z" for each in IDS]

    lesson = learn_message_ids(
        accepted([*ids, *(each.lower() for each in ids)]),
        received([f"{each:X}Z" for each in IDS]),
    )

    assert (None, "no_pair") == (pair(lesson), lesson.finding.code)
    [candidate] = [each for each in lesson.candidates if each.ambiguous]
    assert (K.CASEFOLD, K.CASEFOLD, 30, 0) == (
        candidate.response.kind,
        candidate.receipt.kind,
        candidate.ambiguous,
        candidate.matched,
    )


CONSECUTIVE = range(1000, 6000)
"""Told apart as hexadecimals, many of these are another one's decimal digits."""
EITHER_WAY = [each for each in CONSECUTIVE if f"{each:x}".isdecimal() and int(f"{each:x}") >= 1000]


def either_way(**changes: object) -> list[ReceivedId]:
    """Receipts in hexadecimal that are all somebody's as decimals, too."""
    return [
        ReceivedId(
            message_id=f"{each:x}",
            **({"source_addr": number_of(each - 1000), "received_at": 2 * MINUTE} | changes),
        )
        for each in EITHER_WAY
    ]


def test_consecutive_ids_are_told_apart_by_the_numbers() -> None:
    lesson = learn_message_ids(accepted([str(each) for each in CONSECUTIVE]), either_way())

    assert (K.DECIMAL, K.HEX) == pair(lesson)
    assert lesson.proposal is not None
    assert len(EITHER_WAY) == lesson.proposal.confirmed > 100
    as_they_stand = next(
        each
        for each in lesson.candidates
        if (each.response.kind, each.receipt.kind) == (K.RAW, K.RAW)
    )
    assert (0, len(EITHER_WAY)) == (as_they_stand.confirmed, as_they_stand.contradicted)
    assert 5 == len(as_they_stand.against)


@pytest.mark.parametrize("address", ["", "ACME", "7f3a09c1", "123456"])
def test_without_numbers_two_readings_that_disagree_give_no_proposal(address: str) -> None:
    lesson = learn_message_ids(
        accepted([str(each) for each in CONSECUTIVE]), either_way(source_addr=address)
    )
    hidden = learn_message_ids(
        accepted([str(each) for each in CONSECUTIVE], to=address), either_way()
    )

    for each in (lesson, hidden):
        assert (None, "two_pairs") == (pair(each), each.finding.code)
        assert "raw in responses and raw in receipts" in each.finding.words
        assert "decimal in responses and hex in receipts" in each.finding.words


def test_what_matches_less_than_half_as_often_is_no_rival() -> None:
    ids = [str(each) for each in CONSECUTIVE]

    lesson = learn_message_ids(
        accepted(ids, to=""), received([f"{each:x}" for each in CONSECUTIVE])
    )

    assert (K.DECIMAL, K.HEX) == pair(lesson)
    assert lesson.proposal is not None
    assert (len(ids), 0) == (lesson.proposal.matched, lesson.proposal.confirmed)


def test_a_receipt_from_before_the_message_contradicts() -> None:
    lesson = learn_message_ids(
        accepted([f"{each:X}" for each in IDS]),
        received([str(each) for each in IDS], received_at=MINUTE - 1),
    )

    assert (None, "no_pair") == (pair(lesson), lesson.finding.code)
    assert 30 == lesson.candidates[0].contradicted


def test_addresses_that_are_not_turned_round_are_known_all_the_same() -> None:
    receipts = [
        ReceivedId(
            message_id=str(each),
            source_addr="34911222333",
            destination_addr=number_of(place),
            received_at=2 * MINUTE,
        )
        for place, each in enumerate(IDS)
    ]

    lesson = learn_message_ids(accepted([f"{each:X}" for each in IDS]), receipts)

    assert lesson.proposal is not None
    assert 30 == lesson.proposal.confirmed


def test_numbers_that_are_kept_as_hashes_tell_readings_apart_too() -> None:
    def hashed(place: int) -> str:
        return HASHING.number(number_of(place))

    sent = [
        AcceptedId(message_id=str(each), to=hashed(place)) for place, each in enumerate(CONSECUTIVE)
    ]
    receipts = [
        ReceivedId(message_id=f"{each:x}", source_addr=hashed(each - 1000)) for each in EITHER_WAY
    ]

    lesson = learn_message_ids(sent, receipts)

    assert (K.DECIMAL, K.HEX) == pair(lesson)
    assert lesson.proposal is not None
    assert len(EITHER_WAY) == lesson.proposal.confirmed


def test_a_hashed_number_says_nothing_of_a_plain_one() -> None:
    plain = accepted([f"{each:X}" for each in IDS])
    hashed = received([str(each) for each in IDS], source_addr=HASHING.number(number_of(1)))

    lesson = learn_message_ids(plain, hashed)

    assert lesson.proposal is not None
    assert (30, 0, 0) == (
        lesson.proposal.matched,
        lesson.proposal.confirmed,
        lesson.proposal.contradicted,
    )


def test_an_id_that_came_round_again_is_about_either_message() -> None:
    ids = [f"{each:X}" for each in IDS]

    lesson = learn_message_ids(
        [*accepted(ids, to="+34699999999"), *accepted(ids)], received([str(each) for each in IDS])
    )

    assert lesson.proposal is not None
    assert (30, 0) == (lesson.proposal.confirmed, lesson.proposal.contradicted)


def test_one_contradiction_in_a_hundred_is_put_up_with() -> None:
    wanted = [0x4B1F00 + 7919 * number for number in range(101)]
    ids = [f"{each:X}" for each in wanted]
    receipts = received([str(each) for each in wanted])
    strangers = received([str(each) for each in wanted], source_addr="34699999999")

    assert (K.HEX, K.DECIMAL) == pair(
        learn_message_ids(accepted(ids), [*strangers[:1], *receipts[1:]])
    )
    assert None is pair(learn_message_ids(accepted(ids), [*strangers[:2], *receipts[2:]]))


def test_what_chance_adds_does_not_make_a_bolder_reading_better() -> None:
    ids = [f"id-{number}" for number in range(200)]
    stray = accepted(["ID-X"], to="")

    lesson = learn_message_ids([*accepted(ids), *stray], received([*ids, "id-x"]))

    assert (K.RAW, K.RAW) == pair(lesson)
    assert 1 == lesson.proposal.unmatched  # type: ignore[union-attr]


def test_what_has_no_id_is_left_out() -> None:
    lesson = learn_message_ids(accepted(["", "A"]), received(["", "B"]))

    assert (1, 1) == (lesson.accepted, lesson.received)


SPELLINGS: dict[str, Callable[[int], str]] = {
    "hex": "{:X}".format,
    "decimal": "{}".format,
    "padded": "{:020}".format,
    "small": "{:x}".format,
}


@given(
    ids=st.sets(st.integers(1, 2**64), min_size=20, max_size=60),
    in_response=st.sampled_from(sorted(SPELLINGS)),
    in_receipt=st.sampled_from(sorted(SPELLINGS)),
)
def test_what_is_proposed_matches_receipts_with_their_own_messages(
    ids: set[int], in_response: str, in_receipt: str
) -> None:
    wanted = sorted(ids)
    responses = [SPELLINGS[in_response](each) for each in wanted]
    receipts = [SPELLINGS[in_receipt](each) for each in wanted]

    lesson = learn_message_ids(accepted(responses), received(receipts))

    proposal = lesson.proposal
    if proposal is None:
        # Small numbers can be one another's digits; then nothing is proposed rather than a guess.
        assert lesson.finding.code in {"no_pair", "two_pairs", "too_few"}
        return
    agreeing = [
        proposal.response.normalise(response) == proposal.receipt.normalise(receipt)
        for response, receipt in zip(responses, receipts, strict=True)
    ]
    assert sum(agreeing) == proposal.matched == proposal.confirmed
