"""Each kind of fault, with the exact line that a person reads."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from whiteroute.engine.config import ConfigError, ConfigProblem, load_config, parse_config

Faults = Callable[[str], list[str]]

EXACT = (
    'a number in quotes, such as "0.030" (without them TOML makes it a binary fraction, which is'
)
CARRIER = '[carriers.acme]\nhosts = ["127.0.0.1:2775"]\nsystem_id = "gateway"\n'
CHANGES = [
    # Keys
    ("window = 20", "windw = 20", "carriers.acme.windw: unknown key, did you mean window?"),
    ("share = 2", "Share = 2", "routes.acme-es.Share: unknown key, did you mean share?"),
    ("[engine]", "[engin]", "engin: unknown key, did you mean engine?"),
    ("hops = 0", '"a b" = 0', 'routes.acme-es.interconnect."a b": unknown key, expected one of'),
    (
        "share = 2",
        'numbering_file = "plan.csv"',
        "routes.acme-es.numbering_file: unknown key, expected it at the top of the file, before the"
        " first [table]",
    ),
    (
        "peer = {",
        'peer = { hosts = ["x"],',
        "routes.acme-es.peer.hosts: unknown key, expected one of pinned_hosts, origin_countries,",
    ),
    (
        "policy]",
        "policy]\nname = 1",
        "policy.name: unknown key, expected one of allowed_kinds, max",
    ),
    (
        'system_id = "gateway"\n',
        "",
        "carriers.acme.system_id: missing, expected a text in quotes",
    ),
    (
        'carrier = "acme"\n',
        "",
        "routes.acme-es.carrier: missing, expected a text in quotes",
    ),
    (
        'amount = "0.030", ',
        "",
        f"routes.acme-es.price.amount: missing, expected {EXACT}",
    ),
    (
        'networks = ["214-07"]\n',
        "",
        'routes.acme-es.networks: missing, expected an array, each MCC-MNC, such as "214-07"',
    ),
    # Types
    ("window = 20", 'window = "20"', 'carriers.acme.window: "20", expected a whole number'),
    ("window = 20", "window = true", "carriers.acme.window: true, expected a whole number"),
    ("window = 20", "window = 20.0", "carriers.acme.window: 20.0, expected a whole number"),
    ("tps = 100", "tps = false", "carriers.acme.tps: false, expected a number"),
    ("tps = 100", "tps = nan", "carriers.acme.tps: nan, expected a number"),
    ("tps = 100", "tps = inf", "carriers.acme.tps: inf, expected a number"),
    ("tps = 100", f"tps = 0x1{'0' * 300}", f"carriers.acme.tps: 0x1{'0' * 77}..., expected a numb"),
    (
        "preserved = true",
        "preserved = 1",
        "routes.acme-es.sender.preserved: 1, expected true or false",
    ),
    (
        'system_id = "gateway"',
        "system_id = 7",
        "carriers.acme.system_id: 7, expected a text in quotes",
    ),
    ('carrier = "acme"', "carrier = 7", "routes.acme-es.carrier: 7, expected a text in quotes"),
    (
        'hosts = ["127.0.0.1:2775", "[2001:db8::7]:2776"]',
        'hosts = "127.0.0.1:2775"',
        'carriers.acme.hosts: "127.0.0.1:2775", expected an array, each host:port, such as',
    ),
    ('"[2001:db8::7]:2776"', "2776", "carriers.acme.hosts[1]: 2776, expected host:port, such as"),
    ("[engine]\n", "[[engine]]\n", "engine: an array, expected a table"),
    ('ledger = "ledger.db"', "ledger = 1", "engine.ledger: 1, expected a text in quotes"),
    (
        "session = { response_timeout = 30 }",
        "session = 30",
        "profiles.ours.session: 30, expected a table",
    ),
    (
        "err_table = {",
        "err_table = 1 #",
        "profiles.ours.errors.err_table: 1, expected a table",
    ),
    (
        "session = { response_timeout = 30 }",
        "session = 07:30:00",
        "profiles.ours.session: 07:30:00, expected a table",
    ),
    ('34600 = "214-07"', "34600 = 21407", "numbering.34600: 21407, expected a text in quotes"),
    # Dates, sums and other texts with a form
    (
        "2027-12-31",
        "2027-12-31T00:00:00Z",
        "routes.acme-es.agreement.valid_to: 2027-12-31T00:00:00+00:00, expected a day, such as",
    ),
    (
        '"2026-01-01"',
        '"01.01.2026"',
        'routes.acme-es.agreement.valid_from: "01.01.2026", expected a day, such as 2027-12-31',
    ),
    (
        '"2026-01-01"',
        '"2026-02-30"',
        'routes.acme-es.agreement.valid_from: "2026-02-30", expected a day, such as 2027-12-31',
    ),
    ('"0.030"', "0.030", f"routes.acme-es.price.amount: 0.03, expected {EXACT}"),
    ('"0.030"', '"1e-2"', f'routes.acme-es.price.amount: "1e-2", expected {EXACT}'),
    ('"0.05"', "1", f"policy.price_tolerance: 1, expected {EXACT}"),
    (
        '["214-07"]',
        '["21407"]',
        'routes.acme-es.networks[0]: "21407", expected MCC-MNC, such as "214-07"',
    ),
    (
        '214-19 = "214-07"',
        '214 = "214-07"',
        'operators.214: "214", expected MCC-MNC, such as "214-07"',
    ),
    (
        '"127.0.0.1:2775"',
        '"127.0.0.1"',
        'carriers.acme.hosts[0]: "127.0.0.1", expected host:port, such as "smpp.example.com:2775"',
    ),
    ('"127.0.0.1:2775"', '"127.0.0.1:0"', 'carriers.acme.hosts[0]: "127.0.0.1:0", expected host:p'),
    ('"127.0.0.1:2775"', '"::1:2775"', 'carriers.acme.hosts[0]: "::1:2775", expected host:port'),
    (
        '"127.0.0.1:2775"',
        '"smpp://gateway:p@ss/w@10.0.0.1:2775"',
        'carriers.acme.hosts[0]: "***@10.0.0.1:2775", expected host:port, such as',
    ),
    (
        '"Europe/Madrid"',
        '"Europe"',
        'profiles.ours.receipt.zone: "Europe", expected a zone, such as "Europe/Madrid",',
    ),
    ('"Europe/Madrid"', '"../etc"', 'profiles.ours.receipt.zone: "../etc", expected a zone, such'),
    ('"Europe/Madrid"', '"Mars/Base"', 'profiles.ours.receipt.zone: "Mars/Base", expected a zone'),
    ('"Europe/Madrid"', '"+24:00"', 'profiles.ours.receipt.zone: "+24:00", expected a zone, such'),
    ('"Europe/Madrid"', "2", "profiles.ours.receipt.zone: 2, expected a zone, such as"),
    (
        '"030015"',
        '"03 00 1"',
        'profiles.ours.errors.rules[0].network_error_code: "03 00 1", expected octets in hexadecimal,'
        ' such as "030015"',
    ),
    (
        '"030015"',
        "30015",
        "profiles.ours.errors.rules[0].network_error_code: 30015, expected octets in hexadecimal,",
    ),
    (
        "0x40B = ",
        "sys = ",
        'profiles.ours.errors.status_overrides.sys: "sys", expected a number, such as 1035 or 0x40B',
    ),
    # Choices
    (
        'bind = "tx+rx"',
        'bind = "rx"',
        'carriers.acme.bind: "rx", expected one of trx, tx+rx',
    ),
    ('bind = "tx+rx"', "bind = []", "carriers.acme.bind: an array, expected one of trx, tx+rx"),
    (
        '"DIRECT_MNO"',
        '"direct_mno"',
        'routes.acme-es.interconnect.kind: "direct_mno", expected one of DIRECT_MNO, DIRECT_MVNO_HOST'
        ", OPERATOR_HUB_AA71, AGGREGATOR, SIM, SS7_LEASED_GT, UNKNOWN",
    ),
    (
        '["otp", "tr',
        '["opt", "tr',
        'routes.acme-es.traffic_classes[0]: "opt", expected one of otp, transactional, marketing, p2p',
    ),
    (
        "{ otp = 5 }",
        "{ opt = 5 }",
        'policy.latency_targets.opt: "opt", expected one of otp, transactional, marketing, p2p',
    ),
    ('"MEDIUM"', "2", "policy.min_confidence: 2, expected one of LOW, MEDIUM, HIGH"),
    (
        '"OK" = "DELIVERED"',
        '"OK" = "DELIVRD"',
        'profiles.ours.receipt.stat_map.OK: "DELIVRD", expected one of SCHEDULED, ENROUTE, DELIVERED,',
    ),
    (
        '"BARRED"',
        '"BAD"',
        'profiles.ours.errors.rules[0].canonical: "BAD", expected one of NONE, UNKNOWN_SUBSCRIBER,',
    ),
    # Ranges
    ("binds = 2", "binds = 0", "carriers.acme.binds: 0, expected 1 or more"),
    ("window = 20", "window = -1", "carriers.acme.window: -1, expected 1 or more"),
    ("tps = 100", "tps = 0", "carriers.acme.tps: 0, expected more than 0"),
    (
        '["127.0.0.1:2775", "[2001:db8::7]:2776"]',
        "[]",
        "carriers.acme.hosts: an array, expected at least one",
    ),
    (
        'system_id = "gateway"',
        'system_id = "gate\\u0000way"',
        'carriers.acme.system_id: "gate\\u0000way", expected characters of Latin-1 without NUL',
    ),
    (
        "response_timeout = 30",
        "response_timeout = 0",
        "profiles.ours.session.response_timeout: 0.0, expected more than 0",
    ),
    (
        "response_timeout = 30",
        "max_command_length = 15",
        "profiles.ours.session.max_command_length: 15, expected 16 or more",
    ),
    (
        "interface_version = 0x50",
        "interface_version = 34",
        "profiles.ours.bind.interface_version: 34, expected 0x33, 0x34 or 0x50",
    ),
    ("ton = 5", "ton = 256", "profiles.ours.addresses.alpha.ton: 256, expected 0 to 255"),
    (
        "0x40B = ",
        "-1 = ",
        "profiles.ours.errors.status_overrides: a table, expected statuses from 0 to 0xFFFFFFFF",
    ),
    (
        'err = "7", network_error_code = "030015"',
        'err = "7", permanence = "FOREVER"',
        'profiles.ours.errors.rules[0].permanence: "FOREVER", expected one of',
    ),
    (
        ', err = "7", network_error_code = "030015"',
        "",
        "profiles.ours.errors.rules: an array, expected in each rule a command_status, stat, err or"
        " network_error_code: others match nothing",
    ),
    (
        'pinned_hosts = ["127.0.0.1", "2001:db8::7"]',
        'origin_countries = ["ES"]',
        'routes.acme-es.peer.origin_countries: an array, expected MCCs of three digits, such as "214"',
    ),
    (
        'pinned_hosts = ["127.0.0.1", "2001:db8::7"]',
        'smsc_prefixes = ["+34"]',
        "routes.acme-es.peer.smsc_prefixes: an array, expected beginnings of numbers, such as",
    ),
    (
        "{ otp = 5 }",
        "{ otp = 0 }",
        "policy.latency_targets: a table, expected seconds, more than 0",
    ),
    ('"ledger.db"', '""', 'engine.ledger: "", expected the name of a file'),
    ("share = 2", "share = 0", "routes.acme-es.share: 0.0, expected a weight above 0"),
    ("hops = 0", "hops = -1", "routes.acme-es.interconnect.hops: -1, expected 0 or more"),
    ('"0.030"', '"-1"', "routes.acme-es.price.amount: -1, expected a sum of 0 or more"),
    (
        '"EUR"',
        '"eur"',
        "routes.acme-es.price.currency: eur, expected three capital letters, such as EUR",
    ),
    (
        "valid_to = 2027-12-31",
        "valid_to = 2025-12-31",
        "routes.acme-es.agreement.valid_to: 2025-12-31, expected a day not before valid_from"
        " (2026-01-01)",
    ),
    (
        'networks = ["214-07"]',
        "networks = []",
        "routes.acme-es.networks: none, expected at least one MCC-MNC",
    ),
    (
        'registered = ["ACME"]',
        'registered_patterns = ["ok", "("]',
        "routes.acme-es.sender.registered_patterns[1]: (, expected a regular expression (missing ),",
    ),
    (
        'registered = ["ACME"]',
        'registered_patterns = ["a{99999999999999999999}"]',
        "routes.acme-es.sender.registered_patterns[0]: a{99999999999999999999}, expected a regular",
    ),
    (
        "policy]",
        'policy]\nallowed_kinds = ["DIRECT_MNO", "SIM"]',
        "policy.allowed_kinds: SIM, expected none of SIM, SS7_LEASED_GT, UNKNOWN: never direct",
    ),
    ("policy]", "policy]\nmax_hops = 2", "policy.max_hops: 2, expected 0 or 1: two hops are never"),
    (
        "[profiles.ours.errors]",
        '[profiles.ours.receipt_message_id]\npattern = "("\n[profiles.ours.errors]',
        "profiles.ours.receipt_message_id.pattern: '(' (missing ), unterminated subpattern at posi",
    ),
    (
        "[profiles.ours.errors]",
        '[profiles.ours.receipt_message_id]\npattern = "a{99999999999999999999}"\n'
        "[profiles.ours.errors]",
        "profiles.ours.receipt_message_id.pattern: 'a{99999999999999999999}' (the repetition number",
    ),
    (
        "[profiles.ours.errors]",
        '[profiles.ours.receipt_message_id]\nkind = "pattern"\n[profiles.ours.errors]',
        "profiles.ours.receipt_message_id.pattern: empty, expected a regular expression for the kind",
    ),
    # What names something that is not there
    (
        'carrier = "acme"',
        'carrier = "acmee"',
        'routes.acme-es.carrier: no carrier "acmee", did you mean acme?',
    ),
    (
        'carrier = "acme"',
        'carrier = "other"',
        'routes.acme-es.carrier: no carrier "other", expected one of acme',
    ),
    (
        'profile = "ours"',
        'profile = "generic"',
        'carriers.acme.profile: no profile "generic", did you mean generic-3.4?',
    ),
    ('profile = "ours"', "profile = 1", "carriers.acme.profile: 1, expected a text in quotes"),
    (
        'blocked_routes = ["acme-es"]',
        'blocked_routes = ["acme_es"]',
        'policy.blocked_routes: no route "acme_es", did you mean acme-es?',
    ),
    (
        'extends = "hex-resp-dec-receipt"',
        'extends = "tx-rx"',
        'profiles.ours.extends: no profile "tx-rx", did you mean tx-rx-pair?',
    ),
    (
        'extends = "hex-resp-dec-receipt"',
        "extends = 3.4",
        "profiles.ours.extends: 3.4, expected a text in quotes",
    ),
    (
        'extends = "hex-resp-dec-receipt"',
        'extends = "ours"',
        "profiles.ours.extends: a circle, ours -> ours, expected an end to it",
    ),
    # Numbering
    (
        '34600 = "214-07"',
        '+34600 = "214-07"',
        "line 15: Invalid statement, expected valid TOML",
    ),
    (
        '34600 = "214-07"',
        '"+34600" = "214-07"',
        'numbering."+34600": "+34600", expected a prefix of digits with country code',
    ),
    (
        '34600 = "214-07"',
        '34600 = "21407"',
        'numbering.34600: "21407", expected MCC-MNC, such as 214-07',
    ),
    # Passwords
    (
        "password_env",
        'password = "hunter2"\npassword_env',
        "carriers.acme.password: beside password_env, expected one of the two",
    ),
    (
        '"ACME_PASSWORD"',
        '"ACME_PASWORD"',
        "carriers.acme.password_env: ACME_PASWORD is not set, expected the name of a variable of the"
        " environment",
    ),
    (
        '"ACME_PASSWORD"',
        '"hunter2"',
        "carriers.acme.password_env: a variable that is not set, expected the name of a variable of",
    ),
    (
        'password_env = "ACME_PASSWORD"',
        "password_env = 1",
        "carriers.acme.password_env: 1, expected a text in quotes",
    ),
    (
        'password_env = "ACME_PASSWORD"',
        "password = 4711",
        "carriers.acme.password: not a text, expected a text in quotes",
    ),
    (
        'password_env = "ACME_PASSWORD"',
        'password = "hunter€"',
        "carriers.acme.password: characters that cannot be sent, expected characters of Latin-1",
    ),
    (
        'password_env = "ACME_PASSWORD"',
        'passwordd = "hunter2"',
        "carriers.acme.passwordd: unknown key, did you mean password?",
    ),
    # Names
    (
        "[profiles.ours]",
        '[profiles."a\\nb"]\n[profiles.ours]',
        'profiles."a\\u000Ab": the name "a\\u000Ab", expected characters that can be seen',
    ),
    (
        "[profiles.ours]",
        "[profiles]\nname = 1\n[profiles.ours]",
        "profiles.name: 1, expected a table",
    ),
    (
        "[profiles.ours]",
        "[profiles.payload-long]\n[profiles.ours]",
        "profiles.payload-long: the name of a shipped profile, expected another one, and extends ="
        ' "payload-long"',
    ),
    # The file itself
    (
        "[policy]",
        "[engine]\n[policy]",
        "line 40: [engine] a second time, expected each table once",
    ),
    (
        "[policy]",
        '[routes."a b".agreement]\n[routes."a b".agreement]\n[policy]',
        'line 41: [routes."a b".agreement] a second time, expected each table once',
    ),
    (
        "window = 20",
        "window = 20\nwindow = 30",
        "line 12: window a second time, expected each key once in its table",
    ),
    (
        "window = 20",
        'window = 20\n"system_id" = "twice"',
        "line 12: Cannot overwrite a value, expected valid TOML",
    ),
    ("window = 20", "window = ", "line 11: Invalid value, expected valid TOML"),
    ("2027-12-31", "2027-02-30", "line 36: Invalid date or datetime, expected valid TOML"),
    ("window = 20", f"window = {'[' * 5000}", "arrays or tables nested too deeply, expected a few"),
    ("window = 20", f"window = {'9' * 5000}", "Exceeds the limit (4300 digits) for integer string"),
]


@pytest.mark.parametrize(("old", "new", "line"), CHANGES)
def test_a_fault_is_told_in_one_line(valid: str, faults: Faults, old: str, new: str, line: str):
    assert old in valid

    [found] = faults(valid.replace(old, new, 1))

    file = "f.toml: " if line.startswith(("arrays", "Exceeds")) else "f.toml:"
    assert f"{file}{line}" == found[: len(file + line)]
    assert "hunter" not in found


def test_a_valid_file_has_no_fault(valid: str, faults: Faults):
    assert [] == faults(valid)


def test_the_end_of_the_file_has_a_line_too(faults: Faults):
    assert ["f.toml:line 2: Unterminated string, expected valid TOML"] == faults('a = 1\nb = "')
    assert ["f.toml:line 1: Invalid value, expected valid TOML"] == faults("a =")


def test_an_empty_file_lacks_carriers(faults: Faults):
    expected = ["f.toml:carriers: missing, expected at least one table [carriers.NAME]"]

    assert expected == faults("")


def test_all_faults_of_a_file_are_told(valid: str, faults: Faults):
    text = valid
    for old, new, _ in (
        ("window = 20", "windw = 20", ""),
        ("binds = 2", "binds = 0", ""),
        ("response_timeout = 30", "response_timeout = 0, window = -1, windoww = 2", ""),
        ('carrier = "acme"', 'carrier = "acne"', ""),
        ('kinds = ["ALPHA", "LONG"]', 'kinds = ["ALFA", "LANG"]', ""),
        ('"0.030"', "0.03", ""),
        ('"MEDIUM"', '"SURE"', ""),
    ):
        text = text.replace(old, new, 1)

    assert [
        "f.toml:profiles.ours.session.windoww",
        "f.toml:profiles.ours.session.window",
        "f.toml:profiles.ours.session.response_timeout",
        "f.toml:carriers.acme.windw",
        "f.toml:carriers.acme.binds",
        "f.toml:routes.acme-es.sender.kinds[0]",
        "f.toml:routes.acme-es.sender.kinds[1]",
        "f.toml:routes.acme-es.price.amount",
        "f.toml:routes.acme-es.carrier",
        "f.toml:policy.min_confidence",
    ] == [line.split(": ")[0] for line in faults(text)]


def test_a_route_over_a_faulty_carrier_has_no_fault_of_its_own(valid: str, faults: Faults):
    [only] = faults(valid.replace("binds = 2", "binds = 0"))

    assert only.startswith("f.toml:carriers.acme.binds:")


def test_wrong_tables_leave_no_names_to_suggest(faults: Faults):
    route = 'r = { carrier = "acme", networks = ["214-07"], traffic_classes = [] }'

    assert [
        "f.toml:carriers: 1, expected a table",
        'f.toml:routes.r.carrier: no carrier "acme", expected none',
    ] == faults(f"carriers = 1\n[routes]\n{route}")
    assert [
        "f.toml:routes: 1, expected a table",
        'f.toml:policy.blocked_routes: no route "x", expected none',
    ] == faults('routes = 1\npolicy = { blocked_routes = ["x"] }\n' + CARRIER)


def test_operators_must_be_a_table(faults: Faults):
    assert ["f.toml:operators: 1, expected a table"] == faults("operators = 1\n" + CARRIER)


def test_a_circle_of_profiles_is_shown_whole_and_once(faults: Faults):
    profiles = "".join(
        f'[profiles.{name}]\nextends = "{base}"\n' for name, base in ("ab", "bc", "ca", "da")
    )

    assert [
        "f.toml:profiles.a.extends: a circle, a -> b -> c -> a, expected an end to it"
    ] == faults(profiles + CARRIER)


def test_two_circles_are_both_shown(faults: Faults):
    profiles = "".join(
        f'[profiles.{name}]\nextends = "{base}"\n' for name, base in ("ab", "ba", "xx")
    )

    assert {
        "f.toml:profiles.a.extends: a circle, a -> b -> a, expected an end to it",
        "f.toml:profiles.x.extends: a circle, x -> x, expected an end to it",
    } == set(faults(profiles + CARRIER))


def test_a_chain_of_a_thousand_profiles_is_no_circle(faults: Faults):
    profiles = "".join(f'[profiles.p{n}]\nextends = "p{n + 1}"\n' for n in range(1_000))

    assert [] == faults(profiles + "[profiles.p1000]\n" + CARRIER)


# --- the files around the TOML


def test_a_plan_is_a_table_or_a_file(tmp_path: Path, faults: Faults):
    (tmp_path / "plan.csv").write_text("prefix,network\n", "utf-8")
    both = 'numbering_file = "plan.csv"\nnumbering = {}\n' + CARRIER

    assert ["f.toml:numbering_file: beside [numbering], expected one of the two"] == faults(both)
    assert ["f.toml:numbering_file: 1, expected a text in quotes"] == faults(
        "numbering_file = 1\n" + CARRIER
    )


def test_each_bad_row_of_a_plan_file_is_told(tmp_path: Path, faults: Faults):
    path = tmp_path / "plan.csv"
    path.write_text(
        "prefix,network,valid_from,valid_to\n"
        "34600,214-07,,\n"
        "0034601,214-07,,\n"
        "34602,21407,,\n"
        "34603,214-07\n"
        "34604,214-07,1.1.2026,\n"
        "34605,214-07,2026-01-02,2026-01-01\n"
        "34600,214-01,2026-01-01,\n",
        "utf-8",
    )

    assert [
        f"{path}:line 5: 2 values, expected 4, as in line 1",
        f'{path}:line 6: "1.1.2026", expected a day, such as 2027-12-31',
        f'{path}:line 8: "34600", expected each prefix at most once on any day',
        f'{path}:line 3: "0034601", expected a prefix of digits with country code',
        f'{path}:line 4: "21407", expected MCC-MNC, such as 214-07',
        f'{path}:line 7: "2026-01-01", expected a day from 2026-01-02 on',
    ] == faults('numbering_file = "plan.csv"\n' + CARRIER)


@pytest.mark.parametrize(
    ("octets", "lines"),
    [
        (
            b"prefix,netwrk\n",
            ['unknown column "netwrk", did you mean network?', "no column network"],
        ),
        (
            b"",
            ["no column prefix, expected the columns prefix, network, valid_", "no column network"],
        ),
        (b"prefix,network,prefix\n", ["column prefix 2 times, expected each once"]),
    ],
)
def test_the_columns_of_a_plan_file_are_checked(
    tmp_path: Path, faults: Faults, octets: bytes, lines: list[str]
):
    path = tmp_path / "plan.csv"
    path.write_bytes(octets)

    found = faults('numbering_file = "plan.csv"\n' + CARRIER)

    assert [f"{path}:line 1: {line}" for line in lines] == [
        one[: len(f"{path}:line 1: {line}")] for one, line in zip(found, lines, strict=True)
    ]


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("absent.csv", "(No such file or directory), expected a file that can be read"),
        (".", "(Is a directory), expected a file that can be read"),
        ("a\\u0000b", "(embedded null byte), expected a file that can be read"),
        ("latin.csv", "(invalid continuation byte), expected a file in UTF-8"),
    ],
)
def test_a_plan_file_that_cannot_be_read_is_one_fault(
    tmp_path: Path, faults: Faults, name: str, fault: str
):
    (tmp_path / "latin.csv").write_bytes(b"prefix,network\n\xe9x\n")

    [found] = faults(f'numbering_file = "{name}"\n' + CARRIER)

    assert found.startswith("f.toml:numbering_file: ")
    assert found.endswith(fault)


def test_a_plan_file_that_is_no_csv_is_a_fault(tmp_path: Path, faults: Faults):
    path = tmp_path / "plan.csv"
    path.write_text('prefix,network\n34600,"214-07\n', "utf-8")

    [found] = faults('numbering_file = "plan.csv"\n' + CARRIER)

    assert f"{path}:line 2: unexpected end of data, expected CSV" == found


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("absent.toml", " No such file or directory, expected a TOML file"),
        ("", " Is a directory, expected a TOML file"),
        ("a\0b", " embedded null byte, expected a TOML file"),
        ("latin.toml", "line 2: octet 0xe9, expected UTF-8"),
        ("binary.toml", "line 1: octet 0xff, expected UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_fault(tmp_path: Path, name: str, line: str):
    (tmp_path / "latin.toml").write_bytes(b"# \xc3\xa9\n# \xe9\n")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    path = tmp_path / name if name else tmp_path

    with pytest.raises(ConfigError) as raised:
        load_config(path)

    assert f"{path}:{line}" == str(raised.value)


def test_an_error_can_be_asked_for_its_parts():
    with pytest.raises(ConfigError) as raised:
        parse_config("[carriers.acme]\nhosts = []\nsystem_id = 1", file="f.toml")

    assert "f.toml" == raised.value.file
    assert (
        ConfigProblem("carriers.acme.hosts", "an array", "expected at least one"),
        ConfigProblem("carriers.acme.system_id", "1", "expected a text in quotes"),
    ) == raised.value.problems


def test_a_syntax_error_does_not_keep_the_text_with_its_passwords():
    with pytest.raises(ConfigError) as raised:
        parse_config('password = "hunter2"\npassword = 1')

    assert raised.value.__context__ is None
    with pytest.raises(tomllib.TOMLDecodeError):
        tomllib.loads("password = ")
