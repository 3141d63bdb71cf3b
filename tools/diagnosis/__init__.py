"""Why a bind does not work: a message centre asked stage by stage, and what is probably behind it.

`diagnose.py` above is the command; here is what it runs, without a word to the terminal.
"""
