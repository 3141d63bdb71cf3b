"""`whiteroute profiles`: what carriers can be like, and every setting by which they differ.

What it shows of a setting is read from the source, so this command is their documentation.
"""

from collections.abc import Iterator, Mapping
from itertools import groupby

import click

from whiteroute.engine.config import (
    Plain,
    Setting,
    did_you_mean,
    load_own_profiles,
    load_profiles,
    origin_of,
    profile_as_toml,
    settings_of,
    toml_value,
)
from whiteroute.engine.profile import GENERIC, CarrierProfile

from .errors import CallError
from .field_words import field_words, first_sentence
from .output import count, examples, print_json
from .setting_sheet import SheetGroup, SheetLine, print_sheet
from .tables import print_table

Profiles = Mapping[str, CarrierProfile]


def _load(context: click.Context, _option: click.Parameter, file: str | None) -> Profiles:
    """Read the profiles of `--config`, given here or one command up; else those shipped."""
    if file is not None:
        context.meta[_FILE] = file
    named = context.meta.get(_FILE)
    return load_profiles() if named is None else load_own_profiles(named)


_FILE = "whiteroute.profiles.config"

_config = click.option(
    "--config",
    "profiles",
    metavar="FILE",
    callback=_load,
    help="A TOML whose own profiles count, too.",
)
_json = click.option("--json", "as_json", is_flag=True, help="One object per line.")


@click.group(
    "profiles",
    invoke_without_command=True,
    epilog=examples(
        "whiteroute profiles                                   all that are shipped",
        "whiteroute profiles --config carriers.toml            and one's own",
        "whiteroute profiles show latin1-default               each setting, and what it means",
        "whiteroute profiles show latin1-default --toml        the same, to copy and change",
        "whiteroute profiles diff generic-3.4 generic-3.3      what differs",
    ),
)
@_config
@_json
@click.pass_context
def command(context: click.Context, profiles: Profiles, as_json: bool) -> int:
    """List carrier profiles: what a carrier is like, by its symptom.

    A profile is found by what goes wrong without it. Those of a TOML stand behind those shipped.
    """
    if context.invoked_subcommand is not None:
        context.meta[_JSON] = as_json
        return 0
    if as_json:
        for profile in profiles.values():
            print_json(_profile_record(profile))
        return 0
    print_table(
        count(len(profiles), "carrier profile"),
        ("profile", "extends", "symptom"),
        [(each.name, each.extends or "-", _symptom(each)) for each in profiles.values()],
        roomy=("extends",),
    )
    return 0


_JSON = "whiteroute.profiles.json"


def _symptom(profile: CarrierProfile) -> str:
    return first_sentence(" ".join(profile.description.split()))


def _profile_record(profile: CarrierProfile) -> dict[str, object]:
    return {
        "profile": profile.name,
        "extends": profile.extends or None,
        "version": profile.version,
        "description": " ".join(profile.description.split()),
        "shipped": profile.name in load_profiles(),
    }


def _wants_json(context: click.Context, as_json: bool) -> bool:
    return as_json or context.meta.get(_JSON, False)


def _named(profiles: Profiles, name: str) -> CarrierProfile:
    if name not in profiles:
        raise CallError(f"no profile {name!r}, {did_you_mean(name, profiles)}")
    return profiles[name]


@command.command(
    "show",
    epilog=examples(
        "whiteroute profiles show payload-long",
        "whiteroute profiles show ours --config carriers.toml --json",
        "whiteroute profiles show generic-3.4 --toml > my-carrier.toml",
    ),
)
@click.argument("name")
@_config
@_json
@click.option("--toml", "as_toml", is_flag=True, help="As a table of a configuration.")
@click.pass_context
def show(
    context: click.Context, name: str, profiles: Profiles, as_json: bool, as_toml: bool
) -> int:
    """Show every setting of a profile.

    Each with its value, the profile that it comes from, and what it means. Those that differ from
    generic-3.4 are marked with a star.

    With --toml, what the profile says itself is written as a table for one's own configuration, and
    all that it could say beside it as comments.
    """
    profile = _named(profiles, name)
    as_json = _wants_json(context, as_json)
    if as_json and as_toml:
        raise CallError("--json and --toml, expected one of the two")
    if as_toml:
        click.echo(_template(profile, profiles), nl=False)
    elif as_json:
        for setting in settings_of(profile):
            print_json(_setting_record(setting, profile, profiles))
    else:
        _print_settings(profile, profiles)
    return 0


def _template(profile: CarrierProfile, profiles: Profiles) -> str:
    # A shipped one cannot be declared again, only be started from.
    name = f"my-{profile.name}" if profile.name in load_profiles() else profile.name
    extended = profiles.get(profile.extends, GENERIC)
    return profile_as_toml(profile, extended=extended, name=name, words=field_words)


def _setting_record(
    setting: Setting, profile: CarrierProfile, profiles: Profiles
) -> dict[str, object]:
    return {
        "profile": profile.name,
        "key": setting.key,
        "value": setting.value,
        "from": _origin(setting, profile, profiles),
        "meaning": field_words(setting.owner, setting.name),
    }


def _origin(setting: Setting, profile: CarrierProfile, profiles: Profiles) -> str:
    """Say whose value it is; what is said of the profile itself is always its own."""
    return profile.name if setting.is_about else origin_of(profiles, profile, setting.key)


def _print_settings(profile: CarrierProfile, profiles: Profiles) -> None:
    generic = {setting.key: setting.value for setting in settings_of(GENERIC)}
    told = [setting for setting in settings_of(profile) if not setting.is_about]
    told.sort(key=lambda setting: bool(setting.group))
    groups = [
        SheetGroup(
            group,
            _group_words(group),
            [
                SheetLine(
                    name=setting.name,
                    value=toml_value(setting.value, setting.name),
                    origin=_origin(setting, profile, profiles),
                    words=first_sentence(field_words(setting.owner, setting.name)),
                    own=generic.get(setting.key) != setting.value,
                )
                for setting in members
            ],
        )
        for group, members in groupby(told, key=lambda setting: setting.group)
    ]
    extends = f", extends {profile.extends}" if profile.extends else ""
    print_sheet(
        f"{profile.name}, version {profile.version}{extends}",
        " ".join(profile.description.split()),
        groups,
    )


def _group_words(group: str) -> str:
    """Say what a table is about, in the words of the field that holds it."""
    owner: type = CarrierProfile
    words = ""
    record: object = GENERIC
    for name in filter(None, group.split(".")):
        words = field_words(owner, name)
        record = getattr(record, name)
        owner = type(record)
    return first_sentence(words)


@command.command(
    "diff",
    epilog=examples(
        "whiteroute profiles diff hex-resp-dec-receipt dec-resp-hex-receipt",
        "whiteroute profiles diff generic-3.4 ours --config carriers.toml --json",
    ),
)
@click.argument("name_a", metavar="A")
@click.argument("name_b", metavar="B")
@_config
@_json
@click.pass_context
def diff(
    context: click.Context, name_a: str, name_b: str, profiles: Profiles, as_json: bool
) -> int:
    """Show what differs between two profiles.

    Only settings that change how the engine behaves count, not names and descriptions.
    """
    one, other = _named(profiles, name_a), _named(profiles, name_b)
    differing = list(_differing(one, other))
    if _wants_json(context, as_json):
        for setting, a, b in differing:
            values = {"key": setting.key, "a": a, "b": b}
            print_json({**values, "meaning": field_words(setting.owner, setting.name)})
    elif differing:
        print_table(
            f"{name_a} and {name_b} differ in {count(len(differing), 'setting')}",
            ("setting", name_a, name_b),
            [
                (setting.key, toml_value(a, setting.name), toml_value(b, setting.name))
                for setting, a, b in differing
            ],
        )
    else:
        click.echo(f"{name_a} and {name_b} say the same.")
    return 0


def _differing(
    one: CarrierProfile, other: CarrierProfile
) -> Iterator[tuple[Setting, Plain, Plain]]:
    """Give the settings that differ, with both values; None where one has no such table."""
    in_one, in_other = (
        {setting.key: setting for setting in settings_of(profile) if not setting.is_about}
        for profile in (one, other)
    )
    for key, setting in (in_other | in_one).items():
        a, b = (table[key].value if key in table else None for table in (in_one, in_other))
        if a != b:
            yield setting, a, b
