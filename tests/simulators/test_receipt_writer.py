"""What is kept for speed gives what writing anew gives, under any dialect."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whiteroute.pdu import (
    DateFormat,
    EncodeError,
    MessageState,
    ReceiptDialect,
    ReceiptForm,
    ReceiptKind,
)
from whiteroute.simulators.receipt_writer import ReceiptFacts, ReceiptWriter

FACTS = ReceiptFacts(
    MessageState.UNDELIVERABLE, "027", ReceiptKind.RECEIPT, 1_795_348_800, 1_795_348_899
)
LABELS = ("id", "stat", "err", "text", "done date")

dialects = st.builds(
    ReceiptDialect,
    form=st.sampled_from([form for form in ReceiptForm if form is not ReceiptForm.PATTERN]),
    labels=st.permutations(LABELS).flatmap(
        lambda labels: st.integers(1, len(labels)).map(lambda n: tuple(labels[:n]))
    ),
    columns=st.permutations(("id", "source", "destination", "stat", "text")).map(tuple),
    labels_after_text=st.booleans(),
    date_format=st.sampled_from(DateFormat),
    operation=st.sampled_from(["deliver_sm", "data_sm"]),
    where=st.sampled_from(["short_message", "message_payload"]),
    tlvs=st.sampled_from(
        [(), ("receipted_message_id", "message_state"), ("network_error_code", "message_state")]
    ),
    text_octets=st.integers(0, 40),
)


@given(
    dialect=dialects,
    message_ids=st.lists(st.text("0123456789abcDEF-", min_size=1, max_size=36), min_size=1),
    texts=st.lists(st.binary(max_size=60), min_size=1),
    err=st.sampled_from(["000", "027", "21b", "~~~~"]),
)
def test_what_is_kept_changes_nothing(dialect, message_ids, texts, err):
    facts = attrs.evolve(FACTS, err=err)
    writer = ReceiptWriter(dialect)

    for message_id in message_ids:
        for text in texts:
            told = (facts, message_id, text, "MY SHOP", "34600111222")
            assert ReceiptWriter(dialect)._write(*told) == writer.write(*told)


def test_only_so_many_are_kept():
    writer = ReceiptWriter(ReceiptDialect(), most_kept=3)
    for second in range(10):
        writer.write(attrs.evolve(FACTS, done_at=FACTS.done_at + second), "77", b"", "", "")

    assert 1 == len(writer._kept)


def test_an_id_that_no_receipt_can_carry_is_an_error():
    writer = ReceiptWriter(ReceiptDialect())

    with pytest.raises(EncodeError, match=r"receipt\.id"):
        writer.write(FACTS, "7 7", b"", "", "")
