"""The engine's rooms; their doors are `engine.session`, `engine.link` and so on, one each.

Nothing is imported here: this file runs whenever a pure room of the engine is imported, and a
re-export would drag Trio into it.
"""
