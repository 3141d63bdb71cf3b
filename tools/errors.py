"""What a command raises when it was called wrongly, or given a file that it cannot use."""

import click


class CallError(click.ClickException):
    """The call or a file is wrong; told in one line, exit code 2.

    The message reads `FILE:KEY: found, expected`, without FILE where there is none.
    """

    exit_code = 2
