"""What codes mean: the taxonomy, the tables, and the order in which rules are asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whiteroute.engine.messages import (
    ANSI41_CAUSES,
    DELIVERY_FAILURE_REASONS,
    MAP_ERRORS,
    NATURES,
    NO_ERROR,
    RP_CAUSES,
    STATUSES,
    TP_FCS,
    Canonical,
    ErrorRule,
    ErrorSpaces,
    Failover,
    MappedError,
    Permanence,
    StatusClass,
    classify_status,
    map_error,
    verdict_for,
)
from whiteroute.pdu import CommandStatus, MessageState

C = Canonical
GSM = b"\x03\x00"


def test_every_word_has_a_nature_and_a_sentence() -> None:
    assert set(Canonical) == set(NATURES)
    assert all(word.meaning.endswith(".") for word in Canonical)
    assert len({word.meaning for word in Canonical}) == len(Canonical)


def test_only_errors_of_the_carrier_or_of_ours_may_go_elsewhere_at_once() -> None:
    elsewhere = {word for word in Canonical if word.nature.failover is Failover.YES}

    assert elsewhere == {
        C.SENDER_REJECTED,
        C.NO_CREDIT,
        C.NO_ROUTE,
        C.SMSC_ERROR,
        C.PROTOCOL_ERROR,
        C.AUTH_ERROR,
    }


def test_spam_is_not_shopped_around() -> None:
    assert C.CONTENT_REJECTED.nature.failover is Failover.NO


def test_someone_is_called_for_money_passwords_and_configuration() -> None:
    assert {word for word in Canonical if word.nature.alarm} == {
        C.NO_CREDIT,
        C.AUTH_ERROR,
        C.PROTOCOL_ERROR,
    }


def test_every_status_of_the_specification_is_classified() -> None:
    assert set(CommandStatus) == set(STATUSES)


@pytest.mark.parametrize("status", [0x22, 0x40B, 0x4A1, 0xFFFFFFFF])
def test_an_unknown_status_is_ambiguous_and_goes_nowhere(status: int) -> None:
    verdict = classify_status(status)

    assert (StatusClass.AMBIGUOUS, Failover.NO, 0) == (
        verdict.status_class,
        verdict.failover,
        verdict.retries,
    )


@pytest.mark.parametrize("word", list(Canonical))
def test_a_word_known_better_than_its_status_keeps_its_own_nature(word: Canonical) -> None:
    verdict = verdict_for(word)

    assert (word, word.nature.failover) == (verdict.canonical, verdict.failover)


@pytest.mark.parametrize(
    ("table", "number", "word"),
    [
        (MAP_ERRORS, 1, C.UNKNOWN_SUBSCRIBER),
        (MAP_ERRORS, 6, C.ABSENT_SUBSCRIBER),
        (MAP_ERRORS, 13, C.BARRED),
        (MAP_ERRORS, 34, C.NETWORK_FAILURE),
        (RP_CAUSES, 22, C.MEMORY_FULL),
        (RP_CAUSES, 27, C.ABSENT_SUBSCRIBER),
        (RP_CAUSES, 30, C.UNKNOWN_SUBSCRIBER),
        (TP_FCS, 0xD0, C.MEMORY_FULL),
        (TP_FCS, 0xC2, C.SMSC_ERROR),
        (ANSI41_CAUSES, 33, C.SUBSCRIBER_BUSY),
        (DELIVERY_FAILURE_REASONS, 1, C.INVALID_DESTINATION),
    ],
)
def test_tables_say_what_the_specifications_say(
    table: dict[int, Canonical], number: int, word: Canonical
) -> None:
    assert word == table[number]


def test_tables_have_no_word_for_no_error_or_for_not_knowing() -> None:
    for table in (MAP_ERRORS, RP_CAUSES, TP_FCS, ANSI41_CAUSES):
        assert not {C.NONE, C.UNKNOWN} & set(table.values())


@pytest.mark.parametrize(
    ("spaces", "codes", "word", "rule"),
    [
        ({}, {}, C.NONE, ""),
        ({}, {"command_status": 0}, C.NONE, ""),
        ({}, {"err": "000", "message_state": 2}, C.NONE, "message_state[DELIVERED]"),
        ({}, {"err": "000", "stat": "ENROUTE", "message_state": 1}, C.NONE, ""),
        ({}, {"err": "null"}, C.NONE, ""),
        ({}, {"network_error_code": GSM + b"\x00"}, C.NONE, ""),
        ({}, {"stat": "WHATEVER"}, C.UNKNOWN, "unmapped"),
        ({}, {"err": "21b", "message_state": 5}, C.UNKNOWN, "unmapped"),
        ({}, {"err": "000", "stat": "UNDELIV", "message_state": 5}, C.UNKNOWN, "unmapped"),
        ({}, {"err": "27", "message_state": 1}, C.UNKNOWN, "unmapped"),
        ({"err_space": "map"}, {"err": "027"}, C.ABSENT_SUBSCRIBER, "err:map[27]"),
        ({"err_space": "rp"}, {"err": "27"}, C.ABSENT_SUBSCRIBER, "err:rp[27]"),
        ({"err_space": "vendor"}, {"err": "27"}, C.UNKNOWN, "unmapped"),
        ({"err_space": "map"}, {"err": "9" * 5000}, C.UNKNOWN, "unmapped"),
        ({"err_space": "map"}, {"err": "²"}, C.UNKNOWN, "unmapped"),
        ({"err_table": {"21B": "BARRED"}}, {"err": "21b"}, C.BARRED, "profile.err_table[21b]"),
        ({"err_table": {"5": "BARRED"}}, {"err": "005"}, C.BARRED, "profile.err_table[005]"),
        (
            {"status_overrides": {0x40B: "NO_CREDIT"}},
            {"command_status": 0x40B},
            C.NO_CREDIT,
            "profile.status_overrides[0x40b]",
        ),
        (
            {},
            {"network_error_code": GSM + b"\x06"},
            C.ABSENT_SUBSCRIBER,
            "network_error_code:map[6]",
        ),
        (
            {"nec_space": "rp"},
            {"network_error_code": GSM + b"\x16"},
            C.MEMORY_FULL,
            "network_error_code:rp[22]",
        ),
        (
            {},
            {"network_error_code": GSM + b"\xd3"},
            C.MEMORY_FULL,
            "network_error_code:tp-fcs[211]",
        ),
        ({"nec_space": "vendor"}, {"network_error_code": GSM + b"\xd3"}, C.UNKNOWN, "unmapped"),
        (
            {},
            {"network_error_code": b"006"},
            C.ABSENT_SUBSCRIBER,
            "network_error_code:digits:map[6]",
        ),
        ({}, {"network_error_code": b"\x07\x00\x58"}, C.THROTTLED, "network_error_code:smpp[88]"),
        ({}, {"network_error_code": b"\x07\x00\x00"}, C.NONE, ""),
        ({}, {"network_error_code": b"\x07\x04\x0b"}, C.UNKNOWN, "unmapped"),
        (
            {},
            {"network_error_code": b"\x06\x00\x21"},
            C.SUBSCRIBER_BUSY,
            "network_error_code:ansi-41[33]",
        ),
        ({}, {"network_error_code": b"\x06\x01\x21"}, C.UNKNOWN, "unmapped"),
        ({}, {"network_error_code": b"\x08\x00\x01"}, C.UNKNOWN, "unmapped"),
        ({}, {"network_error_code": b"\x03"}, C.NONE, ""),
        ({}, {"command_status": 0x0A}, C.SENDER_REJECTED, "command_status[0x0a]"),
        ({}, {"command_status": 0xFF}, C.UNKNOWN, "unmapped"),
        (
            {},
            {"command_status": 0xFE, "delivery_failure_reason": 0},
            C.ABSENT_SUBSCRIBER,
            "delivery_failure_reason[0]",
        ),
        ({}, {"command_status": 0xFE, "delivery_failure_reason": 9}, C.UNKNOWN, "unmapped"),
        ({}, {"stat": "expired"}, C.EXPIRED, "stat[expired]"),
        ({}, {"stat": "DND_REJECTED", "message_state": 8}, C.BARRED, "stat[DND_REJECTED]"),
        ({}, {"message_state": 3}, C.EXPIRED, "message_state[EXPIRED]"),
        ({}, {"message_state": 4}, C.CANCELLED, "message_state[DELETED]"),
        ({}, {"message_state": 8}, C.UNKNOWN, "unmapped"),
    ],
)
def test_every_code_is_read_by_the_rule_that_is_named(
    spaces: dict[str, object], codes: dict[str, object], word: Canonical, rule: str
) -> None:
    error = map_error(ErrorSpaces(**spaces), **codes)

    assert (word, rule) == (error.canonical, error.rule)


def test_rules_are_asked_in_order() -> None:
    codes = {
        "command_status": 0x58,
        "stat": "EXPIRED",
        "err": "5",
        "network_error_code": GSM + b"\x01",
    }
    everything = {
        "rules": (ErrorRule(canonical="NO_CREDIT", err="5", stat="EXPIRED"),),
        "status_overrides": {0x58: "NO_ROUTE"},
        "err_table": {"5": "DUPLICATE"},
        "err_space": "map",
    }
    answers = []
    for omitted in ([], ["rules"], ["status_overrides"], ["err_table"]):
        for name in omitted:
            del everything[name]
        answers.append(map_error(ErrorSpaces(**everything), **codes).rule)
    codes["network_error_code"] = b""
    answers.append(map_error(ErrorSpaces(**everything), **codes).rule)
    del everything["err_space"]
    answers.append(map_error(ErrorSpaces(**everything), **codes).rule)
    codes["command_status"] = None
    answers.append(map_error(ErrorSpaces(**everything), **codes).rule)

    assert answers == [
        "profile.rules[0]",
        "profile.status_overrides[0x58]",
        "profile.err_table[5]",
        "network_error_code:map[1]",
        "err:map[5]",
        "command_status[0x58]",
        "stat[EXPIRED]",
    ]


def test_an_exact_rule_may_say_that_an_error_is_none_or_how_long_it_stands() -> None:
    spaces = ErrorSpaces(
        rules=(
            ErrorRule(canonical="UNKNOWN"),
            ErrorRule(canonical="NONE", err="4"),
            ErrorRule(canonical="NO_CREDIT", stat="CB:0007", permanence=Permanence.PERMANENT),
        )
    )

    assert map_error(spaces, err="4", message_state=5).canonical is C.NONE
    assert map_error(spaces, stat="CB:0007").permanence is Permanence.PERMANENT
    assert map_error(spaces, stat="CB:0008").rule == "unmapped"


def test_a_profile_with_a_word_that_we_do_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="SPAMMY"):
        ErrorSpaces(err_table={"1": "SPAMMY"})


def test_the_raw_values_stay_with_the_verdict() -> None:
    error = map_error(stat="UNDELIV", err="21b", network_error_code=b"\x08\x00\x01")

    assert error == MappedError(
        canonical=C.UNKNOWN,
        permanence=Permanence.UNKNOWN,
        scope=C.UNKNOWN.nature.scope,
        rule="unmapped",
        stat="UNDELIV",
        err="21b",
        network_error_code=b"\x08\x00\x01",
    )
    assert error.is_error
    assert error.meaning == C.UNKNOWN.meaning
    assert not NO_ERROR.is_error


@given(
    st.none() | st.integers(0, 0xFFFFFFFF),
    st.text(max_size=10),
    st.text(max_size=10),
    st.binary(max_size=5),
    st.none() | st.sampled_from(list(MessageState)) | st.integers(0, 255),
    st.none() | st.integers(0, 255),
    st.sampled_from(["none", "map", "rp", "vendor"]),
    st.sampled_from(["map", "rp", "tp-fcs", "vendor"]),
)
def test_nothing_that_a_peer_sends_raises(
    status: int | None,
    stat: str,
    err: str,
    code: bytes,
    state: int | None,
    reason: int | None,
    err_space: str,
    nec_space: str,
) -> None:
    error = map_error(
        ErrorSpaces(err_space=err_space, nec_space=nec_space),
        command_status=status,
        stat=stat,
        err=err,
        network_error_code=code,
        message_state=state,
        delivery_failure_reason=reason,
    )

    assert bool(error.rule) or error is NO_ERROR
