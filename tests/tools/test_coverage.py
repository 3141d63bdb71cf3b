"""What is covered is told in a table, in JSON, and on a page that needs nothing else."""

from collections.abc import Callable
from pathlib import Path

Run = Callable[..., object]
Configure = Callable[..., Path]

ENDING = {'"34700" = "214-03"\n': "", "valid_to = 2999-12-31": "valid_to = 2027-12-31"}


def test_each_network_has_a_line(run: Run, configure: Configure) -> None:
    asked = (
        "coverage",
        "--config",
        configure(changes=ENDING),
        "--at",
        "2026-11-22",
        "--days",
        "30",
    )

    people, program = run(*asked), run(*asked, "--json")

    assert 0 == people.code
    assert "214-07   acme-es  acme-es" in people.out
    assert {
        "network": "214-07",
        "traffic_class": "otp",
        "from": "2026-11-22",
        "to": "2026-12-21",
        "routes": ["acme-es"],
    } == program.records[0]


def test_what_begins_later_and_ends_is_told_with_its_days(run: Run, configure: Configure) -> None:
    asked = ("coverage", "--config", configure(changes=ENDING))

    late = run(*asked, "--at", "2019-12-01", "--days", "3000")
    never = run(*asked, "--at", "2035-01-01")

    assert (1, 1) == (late.code, never.code)
    assert "from 20" in late.out
    assert " to 20" in late.out
    assert "214-07   no   no" in " ".join(never.out.split("\n")[-2:])


def test_a_page_stands_alone(run: Run, configure: Configure, tmp_path: Path) -> None:
    page = tmp_path / "coverage.html"

    found = run(
        "coverage", "--config", configure(changes=ENDING), "--at", "2026-11-22", "--html", page
    )

    text = page.read_text("utf-8")
    assert (0, f"Written to {page}.\n") == (found.code, found.err)
    assert '<i class="n1" style="width:100.000%" title="2026-11-22 to 2027-11-21: acme-es">' in text
    assert "http" not in text


def test_a_page_that_cannot_be_written_is_told(
    run: Run, configure: Configure, tmp_path: Path
) -> None:
    found = run(
        "coverage", "--config", configure(changes=ENDING), "--html", tmp_path / "none" / "page.html"
    )
    assert 2 == found.code
    assert "No such file or directory, expected a file to write" in found.err
