"""What the world's numbering plans say about one number: whether it can exist, of which kind, where.

For people who ask about a number, never for messages on their way: it takes 20 µs and 47 MB. phonenumbers
knows (`pip install whiteroute[numbers]`); it is loaded when first asked. It does not know the network.
"""

import attrs


@attrs.frozen(kw_only=True)
class NumberFacts:
    """What is known of one number."""

    possible: bool
    """Whether numbers of this country have such a length."""
    valid: bool
    """Whether the range is in use; new ranges are used before they are known here."""
    kind: str
    """In lower case, e.g. `mobile`, `fixed line`, `fixed line or mobile`, `toll free`, `unknown`."""
    region: str | None
    """ISO 3166 letters, e.g. `ES`; None where a code is no country's. One calling code may be several
    countries': +44 7911 123456 is Guernsey's."""

    @property
    def can_receive(self) -> bool:
        """Whether a text to it may arrive: in some countries nobody can tell mobile from fixed."""
        return self.possible and self.kind in ("mobile", "fixed line or mobile", "unknown")


def describe_number(msisdn: str) -> NumberFacts | None:
    """Look a number up.

    Args:
        msisdn: E.164 digits without plus (see `normalise_msisdn`).

    Returns:
        What is known; None if phonenumbers is not installed.
    """
    try:
        import phonenumbers
    except ImportError:
        return None
    try:
        number = phonenumbers.parse(f"+{msisdn}")
    except phonenumbers.NumberParseException:
        return NumberFacts(possible=False, valid=False, kind="unknown", region=None)
    kind = phonenumbers.PhoneNumberType.to_string(phonenumbers.number_type(number))
    return NumberFacts(
        possible=phonenumbers.is_possible_number(number),
        valid=phonenumbers.is_valid_number(number),
        kind=kind.lower().replace("_", " "),
        region=phonenumbers.region_code_for_number(number),
    )
