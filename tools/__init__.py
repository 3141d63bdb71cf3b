"""Commands for people: everything that `whiteroute COMMAND` does, and the gate of this repository.

Nothing imports this folder but `whiteroute.__main__`; it may import every other one.
"""
