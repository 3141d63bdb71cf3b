"""What every test shares: how hypothesis chooses its examples.

The gate must say the same twice, so its examples are the same each time.
`pytest --hypothesis-profile=explore` looks for new ones.
"""

from hypothesis import settings

settings.register_profile("gate", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("explore", deadline=None, max_examples=2_000, print_blob=True)
settings.load_profile("gate")
