"""Receipts: the golden vectors, what is no receipt, and that what is written is read back."""

import tomllib
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whiteroute.pdu.alphabet import Alphabet
from whiteroute.pdu.errors import EncodeError
from whiteroute.pdu.operations import DataSm, DeliverSm
from whiteroute.pdu.receipt import DeliveryReceipt, ParseLevel, ReceiptKind, parse_receipt
from whiteroute.pdu.receipt_date import DateFormat, format_receipt_date, parse_receipt_date
from whiteroute.pdu.receipt_dialect import ReceiptDialect, ReceiptForm
from whiteroute.pdu.receipt_writing import WrittenReceipt, format_receipt, write_receipt
from whiteroute.pdu.tlv import Tlv, Tlvs, make_tlvs
from whiteroute.pdu.values import MessageState

VECTORS = tomllib.loads(
    (Path(__file__).parents[1] / "vectors" / "receipts.toml").read_text(encoding="utf-8")
)["receipt"]
NOON = datetime(2024, 2, 29, 12, 0, tzinfo=UTC)


def deliver(text=b"", *, esm_class=4, tlvs=b"", data_coding=0):
    return DeliverSm(
        source_addr="34600111222",
        destination_addr="ACME",
        esm_class=esm_class,
        data_coding=data_coding,
        short_message=text,
        tlvs=Tlvs(tlvs),
    )


def carry(written: WrittenReceipt, dialect: ReceiptDialect):
    if dialect.operation == "data_sm":
        return DataSm(
            source_addr="34600111222",
            destination_addr="ACME",
            esm_class=written.esm_class,
            data_coding=written.data_coding,
            tlvs=written.tlvs,
        )
    return deliver(
        written.short_message,
        esm_class=written.esm_class,
        data_coding=written.data_coding,
        tlvs=written.tlvs.octets,
    )


def dialect_of(table):
    stats = {stat: MessageState[name] for stat, name in table.pop("stat_map", {}).items()}
    return ReceiptDialect(**table, stat_map=stats)


def plain(value):
    """What a vector would hold for a field."""
    if isinstance(value, MessageState):
        return value.name
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, tuple):
        return [list(item) if isinstance(item, tuple) else item for item in value]
    return "" if value is None else value


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_a_vector_is_read_as_its_origin_means_it(vector):
    octets = vector.get("text", "").encode("latin-1") or bytes.fromhex(vector.get("hex", ""))
    pdu = deliver(
        octets,
        esm_class=vector.get("esm_class", 4),
        tlvs=bytes.fromhex(vector.get("tlvs", "")),
        data_coding=vector.get("data_coding", 0),
    )
    reference = vector.get("reference")

    receipt = parse_receipt(
        pdu,
        dialect_of(dict(vector.get("dialect", {}))),
        reference=None if reference is None else datetime.fromisoformat(reference),
    )

    assert receipt is not None
    found = {name: plain(getattr(receipt, name, None)) for name in vector["expected"]}
    if "quoted" in found:
        found["quoted"] = receipt.text.decode("latin-1")
    assert vector["expected"] == found


def test_vectors_have_names_of_their_own():
    assert len(VECTORS) == len({vector["name"] for vector in VECTORS})


@pytest.mark.parametrize("detection", ["esm_class", "tlv"])
def test_a_subscriber_cannot_forge_a_receipt_by_its_text(detection):
    pdu = deliver(b"id:1 stat:DELIVRD", esm_class=0)

    assert parse_receipt(pdu, ReceiptDialect(detection=detection)) is None


def test_an_ordinary_text_is_no_receipt_even_where_texts_are_looked_at():
    dialect = ReceiptDialect(detection="text")

    assert parse_receipt(deliver(b"hello, id: none", esm_class=0), dialect) is None
    assert parse_receipt(deliver(b"", esm_class=0), dialect) is None


def test_two_tlvs_make_a_receipt_unless_only_esm_class_may():
    tlvs = bytes.fromhex("001e000337370004270001 02".replace(" ", ""))

    assert parse_receipt(deliver(esm_class=0, tlvs=tlvs)) is not None
    assert parse_receipt(deliver(esm_class=0, tlvs=tlvs[:7])) is None
    assert (
        parse_receipt(deliver(esm_class=0, tlvs=tlvs), ReceiptDialect(detection="esm_class"))
        is None
    )


def test_addresses_octets_and_tlvs_are_kept():
    receipt = parse_receipt(deliver(b"id:1", tlvs=b"\x14\x00\x00\x01x", data_coding=3))

    assert receipt is not None
    assert ("34600111222", "ACME") == (receipt.source_addr, receipt.destination_addr)
    assert b"id:1" == receipt.octets
    assert b"x" == receipt.tlvs.first(0x1400)
    assert 3 == receipt.data_coding


def test_a_text_in_the_alphabet_of_the_profile_is_read():
    dialect = ReceiptDialect(alphabet=Alphabet.GSM)

    receipt = parse_receipt(deliver(b"\x01 id:A\x11B stat:DELIVRD"), dialect)

    assert receipt is not None
    assert "A_B" == receipt.message_id


def test_a_csv_dialect_reads_labels_too():
    receipt = parse_receipt(deliver(b"id:1 stat:DELIVRD"), ReceiptDialect(form=ReceiptForm.CSV))

    assert receipt is not None
    assert ParseLevel.FULL is receipt.parse_level


SENTENCE = ReceiptDialect(
    form=ReceiptForm.PATTERN,
    pattern=r"Message (?P<id>\w+) (?P<stat>[a-z]+) at (?P<done_date>[0-9]+)(?: by (?P<hop>\w+))?",
    stat_map={"ARRIVED": MessageState.DELIVERED},
)


def test_a_pattern_reads_what_has_neither_labels_nor_commas():
    receipt = parse_receipt(deliver(b"Message 4B1F arrived at 2402291200 by X"), SENTENCE)

    assert receipt is not None
    assert ("4B1F", "arrived", MessageState.DELIVERED, ParseLevel.FULL) == (
        receipt.message_id,
        receipt.stat,
        receipt.state,
        receipt.parse_level,
    )
    assert NOON == receipt.done_date
    assert (("hop", "X"),) == receipt.extra


def test_what_a_pattern_does_not_fit_is_looked_through_for_labels():
    receipt = parse_receipt(deliver(b"id:7 stat:UNDELIV err:005 text:hello"), SENTENCE)

    assert receipt is not None
    assert ("7", MessageState.UNDELIVERABLE, b"hello") == (
        receipt.message_id,
        receipt.state,
        receipt.text,
    )


@pytest.mark.parametrize("pattern", ["", "(?P<err>.*)"])
def test_a_pattern_has_to_find_an_id_or_a_stat(pattern):
    with pytest.raises(ValueError, match=r"pattern: '.*', expected a group \(\?P<id>"):
        ReceiptDialect(form=ReceiptForm.PATTERN, pattern=pattern)


def test_a_pattern_has_to_be_one():
    with pytest.raises(ValueError, match=r"pattern: '.' .*, expected a regular expression"):
        ReceiptDialect(pattern="(")


@pytest.mark.parametrize(
    ("prefers", "expected"),
    [("tlv", ("7", MessageState.UNDELIVERABLE)), ("text", ("4B1F", MessageState.DELIVERED))],
)
def test_the_dialect_says_whether_tlvs_or_text_count(prefers, expected):
    tlvs = make_tlvs(receipted_message_id="7", message_state=5).octets
    octets = b"id:4B1F stat:DELIVRD"

    receipt = parse_receipt(deliver(octets, tlvs=tlvs), ReceiptDialect(prefers=prefers))

    assert receipt is not None
    assert expected == (receipt.message_id, receipt.state)
    assert ("message_id", "state") == receipt.conflict


@pytest.mark.parametrize(
    ("octets", "tlvs"),
    [
        (b"id:4 stat:DELIVRD", b""),
        (b"", make_tlvs(receipted_message_id="4", message_state=2).octets),
    ],
)
@pytest.mark.parametrize("prefers", ["tlv", "text"])
def test_what_is_said_only_once_counts_whatever_is_preferred(prefers, octets, tlvs):
    receipt = parse_receipt(deliver(octets, tlvs=tlvs), ReceiptDialect(prefers=prefers))

    assert receipt is not None
    assert ("4", MessageState.DELIVERED, ()) == (
        receipt.message_id,
        receipt.state,
        receipt.conflict,
    )


@pytest.mark.parametrize(
    ("meaning", "octets", "esm_class", "expected"),
    [
        ("handset", b"id:1 stat:DELIVRD", 4, True),
        ("handset", b"id:1 stat:UNDELIV", 4, False),
        ("handset", b"id:1 stat:DELIVRD", 0x20, False),
        ("smsc", b"id:1 stat:DELIVRD", 4, False),
        ("hub", b"id:1 stat:DELIVRD", 4, False),
    ],
)
def test_only_a_receipt_of_the_handset_is_evidence(meaning, octets, esm_class, expected):
    receipt = parse_receipt(deliver(octets, esm_class=esm_class), ReceiptDialect(meaning=meaning))

    assert receipt is not None
    assert expected is receipt.proves_handset


def test_the_network_that_served_the_handset_is_read_from_the_carriers_tlv():
    tlvs = Tlvs.of(Tlv(0x1403, b"21407\0")).octets

    receipt = parse_receipt(deliver(b"id:1", tlvs=tlvs), ReceiptDialect(network_tag=0x1403))
    other = parse_receipt(deliver(b"id:1", tlvs=tlvs))
    without = parse_receipt(
        deliver(b"id:1", tlvs=make_tlvs(message_state=2).octets), ReceiptDialect(network_tag=0x1403)
    )

    assert receipt is not None
    assert other is not None
    assert without is not None
    assert ("21407", "", "") == (receipt.network, other.network, without.network)


@given(st.binary(max_size=160), st.integers(0, 255), st.binary(max_size=60))
def test_reading_never_fails(octets, esm_class, tlvs):
    for form in ReceiptForm:
        pattern = "(?P<id>[0-9a-f]+).?(?P<stat>[A-Z]*)"
        dialect = ReceiptDialect(form=form, detection="text", pattern=pattern, network_tag=0x1403)
        receipt = parse_receipt(deliver(octets, esm_class=esm_class, tlvs=tlvs), dialect)
        assert receipt is None or isinstance(receipt, DeliveryReceipt)


@given(st.binary(max_size=60))
def test_what_stands_behind_text_changes_nothing_but_the_text(tail):
    head = b"sub:001 id:1 stat:UNDELIV err:005 text:"

    receipt = parse_receipt(deliver(head + tail))

    assert receipt is not None
    assert ("1", "UNDELIV", "005", tail) == (
        receipt.message_id,
        receipt.stat,
        receipt.err,
        receipt.text,
    )


IDS = st.from_regex(r"[A-Za-z0-9_.#-]{1,40}", fullmatch=True)
MOMENTS = st.datetimes(
    datetime(2018, 1, 1),  # noqa: DTZ001
    datetime(2033, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(lambda moment: moment.replace(second=0, microsecond=0))
DIALECTS = st.builds(
    ReceiptDialect,
    form=st.sampled_from([form for form in ReceiptForm if form is not ReceiptForm.PATTERN]),
    labels=st.one_of(
        st.just(ReceiptDialect().labels),
        st.just(("id", "submit date", "done date", "stat", "err", "text")),
        st.permutations(["ID", "Sub", "dlvrd", "submit_date", "Done Date", "STAT", "err"]).map(
            lambda labels: (*labels, "Text")
        ),
    ),
    columns=st.permutations(["id", "stat", "err", "submit date", "done date"]).map(tuple),
    date_format=st.sampled_from(DateFormat),
    zone=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))]),
    stat_map=st.sampled_from([{}, {"00": MessageState.DELIVERED, "OK?": MessageState.DELIVERED}]),
    operation=st.sampled_from(["deliver_sm", "data_sm"]),
    where=st.sampled_from(["short_message", "message_payload"]),
    data_coding=st.sampled_from([0, 3, 8]),
    tlvs=st.sampled_from(
        [
            (),
            ("receipted_message_id", "message_state"),
            ("receipted_message_id", "message_state", "network_error_code"),
        ]
    ),
    network_error_code=st.sampled_from(["binary", "digits"]),
    err_width=st.integers(1, 4),
    counter_width=st.integers(1, 3),
    text_octets=st.integers(0, 40),
)


@given(
    dialect=DIALECTS,
    message_id=IDS,
    state=st.sampled_from(MessageState),
    submit_date=MOMENTS,
    err=st.sampled_from(["0", "12", "21b", "null", "..."]),
    text=st.binary(max_size=40),
    code=st.integers(0, 999),
)
def test_what_is_written_under_a_dialect_is_read_under_it(
    dialect, message_id, state, submit_date, err, text, code
):
    done_date = submit_date + timedelta(minutes=3)
    written = write_receipt(
        dialect,
        message_id=message_id,
        state=state,
        submit_date=submit_date,
        done_date=done_date,
        err=err,
        text=text,
        network_error=(3, code),
    )

    receipt = parse_receipt(carry(written, dialect), dialect, reference=submit_date)

    assert receipt is not None
    assert dialect.data_coding == receipt.data_coding
    assert () == receipt.conflict
    in_text, in_tlvs = dialect.form is not ReceiptForm.TLV_ONLY, bool(dialect.tlvs)
    if in_text or in_tlvs:
        assert (message_id, state) == (receipt.message_id, receipt.state)
        assert dialect.is_final(state) is receipt.is_final
    if in_text:
        assert (submit_date, done_date) == (receipt.submit_date, receipt.done_date)
        assert (err.zfill(dialect.err_width) if err.isdigit() else err) == receipt.err
    if dialect.form is ReceiptForm.LABELS:
        assert text[: dialect.text_octets] == receipt.text
    if "network_error_code" in dialect.tlvs:
        assert code == receipt.network_error_code


@given(MOMENTS, st.sampled_from(DateFormat))
def test_the_short_cut_reads_what_the_long_way_reads(moment, date_format):
    dialect = ReceiptDialect(date_format=date_format, tlvs=())
    octets = format_receipt(
        dialect, message_id="7f", state=MessageState.DELIVERED, submit_date=moment, text=b"a b:c"
    )

    quick = parse_receipt(deliver(octets), dialect)
    slow = parse_receipt(deliver(b" " + octets), dialect)

    assert quick is not None
    assert slow is not None
    assert attrs.evolve(slow, octets=octets) == quick


def test_a_receipt_of_another_kind_says_so():
    written = write_receipt(
        ReceiptDialect(),
        message_id="1",
        state=MessageState.ENROUTE,
        kind=ReceiptKind.INTERMEDIATE,
        stat="BUFFRED",
        dlvrd=0,
    )

    receipt = parse_receipt(carry(written, ReceiptDialect()))

    assert receipt is not None
    assert (ReceiptKind.INTERMEDIATE, "BUFFRED") == (receipt.kind, receipt.stat)
    assert "0000000000" == receipt.done_date_raw
    assert receipt.done_date is None


def test_a_network_error_is_left_out_when_there_is_none():
    dialect = ReceiptDialect(tlvs=("network_error_code",))

    written = write_receipt(dialect, message_id="1", state=MessageState.DELIVERED)

    assert 0 == len(written.tlvs)


def test_columns_hold_what_the_dialect_names():
    dialect = ReceiptDialect(
        form=ReceiptForm.CSV, columns=("id", "source", "price", "destination", "text")
    )

    octets = format_receipt(
        dialect,
        message_id="1",
        state=MessageState.DELIVERED,
        source="ACME",
        destination="346",
        text=b"a,b",
    )

    assert b"1,ACME,,346,a,b" == octets
    receipt = parse_receipt(deliver(octets), dialect)
    assert receipt is not None
    assert b"a,b" == receipt.text


@pytest.mark.parametrize(
    ("dialect", "values", "path"),
    [
        (ReceiptDialect(), {"message_id": "1 2"}, "receipt.id"),
        (SENTENCE, {}, "receipt.form"),
        (ReceiptDialect(), {"err": "a,b"}, "receipt.err"),
        (ReceiptDialect(labels=("text", "id")), {"text": b"id:2"}, "receipt.text"),
        (
            ReceiptDialect(form=ReceiptForm.CSV, columns=("text", "id")),
            {"text": b"a,b"},
            "receipt.text",
        ),
        (ReceiptDialect(), {"done_date": datetime(1999, 1, 1, tzinfo=UTC)}, "receipt.date"),
        (ReceiptDialect(), {"done_date": datetime(2024, 1, 1)}, "receipt.date"),  # noqa: DTZ001
    ],
)
def test_what_would_not_be_read_back_is_not_written(dialect, values, path):
    with pytest.raises(EncodeError) as error:
        format_receipt(dialect, **({"message_id": "1", "state": MessageState.DELIVERED} | values))

    assert path == error.value.path


def test_words_of_the_carrier_come_first():
    dialect = ReceiptDialect(
        stat_map={"ACCEPTD": MessageState.DELIVERED, "Gone": MessageState.DELETED}
    )

    assert MessageState.DELIVERED is dialect.state_of("acceptd")
    assert MessageState.DELETED is dialect.state_of("Gone")
    assert MessageState.UNDELIVERABLE is dialect.state_of("UNDELIV")
    assert "ACCEPTD" == dialect.stat_of(MessageState.DELIVERED)
    assert "EXPIRED" == dialect.stat_of(MessageState.EXPIRED)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("0000000000", None),
        ("2402291200", NOON),
        ("24-02-29 12:00", NOON),
        ("2024-02-29T12:00:00", NOON),
        ("2402301200", None),
        ("240229120000000+", NOON),
        ("240229120000049+", None),
        ("000001000000000R", None),
        ("0000000000000000", None),
        ("1234567890123", None),
        ("yesterday", None),
        ("٢٤٠٢٢٩١٢٠٠", None),
        ("123", None),
    ],
)
def test_a_date_is_read_by_length_and_digits(text, expected):
    assert expected == parse_receipt_date(text)


def test_a_date_format_that_does_not_fit_gives_way_to_one_that_does():
    assert NOON == parse_receipt_date("202402291200", date_format=DateFormat.SECONDS)
    assert NOON == parse_receipt_date("2402291200", date_format=DateFormat.LONG_SECONDS)


def test_a_zone_is_the_carriers():
    zone = timezone(timedelta(hours=2))

    assert NOON == parse_receipt_date("2402291400", zone=zone)
    assert "2402291400" == format_receipt_date(NOON, zone=zone)
