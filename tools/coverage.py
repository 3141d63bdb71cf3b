"""`whiteroute coverage`: which networks have a direct route for which class, and until when.

By what is declared, as a table, as JSON, or as one page of HTML that needs nothing else.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from html import escape
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import click

from whiteroute.engine.config import load_config
from whiteroute.routing import Coverage, TrafficClass, coverage

from .errors import CallError
from .output import examples, print_json, say
from .routes import day_of
from .tables import print_table


@click.command(
    "coverage",
    epilog=examples(
        "whiteroute coverage --config carriers.toml",
        "whiteroute coverage --config carriers.toml --html coverage.html",
    ),
)
@click.option("--config", "config_file", required=True, metavar="FILE", help="The TOML.")
@click.option(
    "--at", metavar="DAY", help="From that day on, such as 2027-01-31. Default: today, UTC."
)
@click.option(
    "--days", type=click.IntRange(min=1), default=365, show_default=True, help="How far to look."
)
@click.option(
    "--html", "html_file", metavar="OUT", help="Write a page instead of printing a table."
)
@click.option("--json", "as_json", is_flag=True, help="A run of days per line.")
def command(
    config_file: str, at: str | None, days: int, html_file: str | None, as_json: bool
) -> int:
    """Show what is covered from when to when, by networks of the routes and of the numbering plan.

    Exit code 1 if some network has no direct route for any class on the first day.
    """
    config, today = load_config(config_file), day_of(at)
    told = coverage(
        config.routes, policy=config.policy, today=today, days=days, networks=config.plan.networks
    )
    if html_file is not None:
        try:
            Path(html_file).write_text(_page(told, today, days), "utf-8")
        except OSError as error:
            raise CallError(f"{html_file}: {error.strerror}, expected a file to write") from None
        say(f"Written to {html_file}.")
    elif as_json:
        for each in told:
            print_json(_record(each))
    else:
        _print(told, today, days)
    covered = {each.network for each in told if each.first == today and each.route_ids}
    return 0 if all(each.network in covered for each in told) else 1


def _record(each: Coverage) -> dict[str, object]:
    return {
        "network": str(each.network),
        "traffic_class": each.traffic_class.value,
        "from": each.first.isoformat(),
        "to": each.last.isoformat(),
        "routes": list(each.route_ids),
    }


def _print(told: Iterable[Coverage], today: date, days: int) -> None:
    rows = []
    for network, of_network in groupby(told, attrgetter("network")):
        runs = list(of_network)
        rows.append((str(network), *(_cell(runs, each, today) for each in TrafficClass)))
    columns = ("network", *(each.value for each in TrafficClass))
    print_table(f"Direct routes from {today}, {days} days ahead", columns, rows)


def _cell(runs: Sequence[Coverage], traffic_class: TrafficClass, today: date) -> str:
    """What is covered of one class, in words: from its first covered day to the end of the run."""
    own = [each for each in runs if each.traffic_class is traffic_class]
    covered = [each for each in own if each.route_ids]
    if not covered:
        return "no"
    first = covered[0]
    begins = "" if first.first == today else f"from {first.first} "
    last = first
    for each in covered[1:]:
        if (each.first - last.last).days == 1:
            last = each
    routes = ", ".join(dict.fromkeys(name for each in covered for name in each.route_ids))
    ends = "" if last.last == own[-1].last else f" to {last.last}"
    return f"{begins}{routes}{ends}"


def _page(told: Sequence[Coverage], today: date, days: int) -> str:
    rows = "\n".join(
        _row(network, list(runs), today, days)
        for network, runs in groupby(told, attrgetter("network"))
    )
    heads = "".join(f"<th>{each.value}</th>" for each in TrafficClass)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Direct routes from {today}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>Direct routes</h1>
<p>From {today}, {days} days ahead, by what is declared. Each bar is the time from left to right;
a deeper green is more routes, an empty bar is none.</p>
<table>
<thead><tr><th>network</th>{heads}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
</body>
</html>
"""


def _row(network: object, runs: Sequence[Coverage], today: date, days: int) -> str:
    cells = []
    for traffic_class in TrafficClass:
        own = [each for each in runs if each.traffic_class is traffic_class]
        bars = "".join(_bar(each, today, days) for each in own)
        cells.append(
            f'<td><div class="bar">{bars}</div><small>{escape(_cell(own, traffic_class, today))}</small></td>'
        )
    return f"<tr><th>{escape(str(network))}</th>{''.join(cells)}</tr>"


def _bar(each: Coverage, today: date, days: int) -> str:
    share = 100 * ((each.last - each.first).days + 1) / days
    deep = min(len(each.route_ids), 3)
    words = f"{each.first} to {each.last}: {', '.join(each.route_ids) or 'no direct route'}"
    return f'<i class="n{deep}" style="width:{share:.3f}%" title="{escape(words)}"></i>'


_STYLE = """
:root { color-scheme: light dark; --ink: #1c2321; --paper: #fbfcfb; --line: #d5dcd8; --none: #eceff0;
  --n1: #9ad1ae; --n2: #4da873; --n3: #1f7a4a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebe8; --paper: #151917; --line: #38403c;
  --none: #262c29; --n1: #2f6b48; --n2: #3f9a66; --n3: #6fd19a; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .45rem .6rem; border-bottom: 1px solid var(--line);
  vertical-align: top; font-weight: normal; }
thead th, tbody th { font-weight: 600; white-space: nowrap; }
td { width: 23%; }
.bar { display: flex; height: .8rem; border-radius: 3px; overflow: hidden; background: var(--none); }
.bar i { display: block; }
.n1 { background: var(--n1); } .n2 { background: var(--n2); } .n3 { background: var(--n3); }
small { opacity: .75; overflow-wrap: anywhere; }
@media (max-width: 45rem) { table, tbody, tr, td, tbody th { display: block; width: auto; }
  thead { display: none; } td { border: 0; } }
@media print { body { margin: 0; max-width: none; } .bar i { print-color-adjust: exact; } }
"""
