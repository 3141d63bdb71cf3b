"""Texts and facts that routing cannot take: a number that is none, a declaration that cannot be true.

For the caller to correct, never to try again. That no route is left is another matter (`refusal.py`).
"""


class NumberError(ValueError):
    """A text that should be a telephone number, or a sender, and is none."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(found, expected)
        self.found = found
        """The text as it came."""
        self.expected = expected
        """What would have been right, in words."""

    def __str__(self) -> str:
        return f"{self.found!r} is not a number: expected {self.expected}"


class RoutingFactError(ValueError):
    """A declared fact (of a route, a policy, a numbering plan) that cannot be true or be read."""

    def __init__(self, where: str, found: object, expected: str) -> None:
        super().__init__(where, found, expected)
        self.where = where
        """Key path, such as `routes.acme-es.agreement.valid_to`, or `row 17`."""
        self.found = found
        self.expected = expected

    def __str__(self) -> str:
        return f"{self.where}: found {self.found!r}, expected {self.expected}"

    def under(self, path: str) -> "RoutingFactError":
        """The same error seen from one level up: `path` is put before its key path."""
        return RoutingFactError(f"{path}.{self.where}", self.found, self.expected)
