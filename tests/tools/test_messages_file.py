"""Rows become messages; a row that cannot be read is told, and the next one is."""

from io import StringIO
from pathlib import Path

import pytest

from whiteroute.engine.messages import Message
from whiteroute.tools.errors import CallError
from whiteroute.tools.messages_file import Defaults, open_messages, read_messages


def read(text: str, **defaults: str) -> tuple[list[Message], list[str]]:
    """Read a file's text: its messages, and what was told."""
    told: list[str] = []
    lines = StringIO(text, newline="")
    return list(read_messages(lines, "m", Defaults(**defaults), told.append)), told


def test_columns_are_a_messages_own_or_become_tags() -> None:
    messages, told = read(
        "message_ref,to,sender,text,traffic_class,duplicate_policy,validity,campaign,shop\n"
        'a-1,+34600111222,ACME,"Hello,\nyou",otp,allow,90,autumn,\n'
    )

    assert [] == told
    assert [
        Message(
            to="+34600111222",
            sender="ACME",
            text="Hello,\nyou",
            traffic_class="otp",
            message_ref="a-1",
            tags={"campaign": "autumn"},
            duplicate_policy="allow",
            validity=90.0,
        )
    ] == messages


def test_the_command_line_gives_what_rows_leave_out() -> None:
    messages, told = read(
        "to,text,sender,traffic_class\n1234567,a,,\n1234567,b,ME,otp\n",
        sender="ACME",
        traffic_class="marketing",
    )

    assert [] == told
    assert [("ACME", "marketing"), ("ME", "otp")] == [
        (message.sender, message.traffic_class) for message in messages
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_what_stands_between_cells_is_seen_from_the_header(delimiter: str) -> None:
    [message], told = read(f"to{delimiter}text\n34600111222{delimiter}hi\n", sender="ACME")

    assert ([], "hi") == (told, message.text)


def test_json_lines_are_read_as_well() -> None:
    messages, told = read(
        '{"to": 34600111222, "text": "é", "tags": "x", "n": 1.5, "nothing": null}\n'
        "\n"
        '{"to": "1234567", "text": ""}\n',
        sender="ACME",
    )

    assert [] == told
    assert [("34600111222", "é", {"tags": "x", "n": "1.5"}), ("1234567", "", {})] == [
        (message.to, message.text, message.tags) for message in messages
    ]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("1", "m:2: 1 cells, expected 5 as in the header"),
        (",ACME,x,,", "m:2: to: nothing, expected a number"),
        ("1234567,,x,,", "m:2: sender: nothing, expected a sender, here or as --from"),
        ("1234567,ACME,x,spam,", "m:2: traffic_class: 'spam', expected otp, transactional, "),
        ("1234567,ACME,x,otp,soon", "m:2: validity: 'soon', expected seconds, more than 0"),
        ("1234567,ACME,x,otp,-1", "m:2: validity: '-1', expected seconds, more than 0"),
        ('1234567,ACME,"x"y,otp,', "m:2: ',' expected after '\"', expected a row of CSV"),
        ("1234567,ACME,\udcff,otp,", "m:2: text: octets that are no UTF-8, expected UTF-8"),
    ],
)
def test_an_unreadable_row_is_told_and_the_next_one_is_read(row: str, said: str) -> None:
    [message], [told] = read(
        f"to,sender,text,traffic_class,validity\n{row}\n\n7654321,ACME,next,,\n"
    )

    assert "next" == message.text
    assert told.startswith(said)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "m:2: no JSON ("),
        ("[1]", "m:2: '[1]', expected an object"),
        ('{"to": ["1"]}', 'm:2: to: ["1"], expected a text'),
        ('{"to": true}', "m:2: to: true, expected a text"),
        ('{"to": "1234567"}', "m:2: text: nothing, expected a text"),
    ],
)
def test_an_unreadable_line_of_json_is_told(line: str, said: str) -> None:
    sound = '{"to": "1234567", "text": "x"}'
    messages, [told] = read(f"{sound}\n{line}\n{sound}\n", sender="ACME")

    assert 2 == len(messages)
    assert told.startswith(said)


def test_the_line_told_is_where_the_row_begins() -> None:
    _, told = read('to,sender,text\n1234567,A,"1\n2\n3"\n,A,x\n')

    assert ["m:5: to: nothing, expected a number"] == told


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("", "m:1: nothing, expected also to and text"),
        ("number,text\n", "m:1: columns number, text, expected also to"),
        ("to,text,to\n", "m:1: columns to, text, to, expected each once"),
        ('"to"x,text\n', "m:1: ',' expected after '\"', expected a header"),
    ],
)
def test_a_header_that_says_too_little_is_refused_at_once(header: str, said: str) -> None:
    with pytest.raises(CallError) as refused:
        read_messages(StringIO(header, newline=""), "m", Defaults(), print)

    assert said == str(refused.value)


def test_a_mark_of_utf8_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes(b"\xef\xbb\xbfto,text\r\n1234567,hi\r\n")

    with open_messages(str(path)) as lines:
        [message] = read_messages(lines, "m", Defaults(sender="A"), print)

    assert "hi" == message.text


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CallError, match="expected a file of messages"):
        open_messages(str(tmp_path / "none.csv"))
