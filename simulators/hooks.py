"""The behaviours of a centre, sorted by what they change, so that what nobody changes costs nothing."""

import attrs

from .behaviours import Behaviour

HOOKS = tuple(
    name for name in vars(Behaviour) if callable(getattr(Behaviour, name)) and name[0] != "_"
)


@attrs.define(eq=False)
class Hooks:
    """For each hook of `Behaviour` the behaviours that have one of their own, in order."""

    behaviours: tuple[Behaviour, ...] = ()
    takes: tuple[Behaviour, ...] = attrs.field(init=False)
    wrap_raw: tuple[Behaviour, ...] = attrs.field(init=False)
    tls: tuple[Behaviour, ...] = attrs.field(init=False)
    wrap: tuple[Behaviour, ...] = attrs.field(init=False)
    lingers: tuple[Behaviour, ...] = attrs.field(init=False)
    on_bind: tuple[Behaviour, ...] = attrs.field(init=False)
    on_submit: tuple[Behaviour, ...] = attrs.field(init=False)
    message_id: tuple[Behaviour, ...] = attrs.field(init=False)
    fate: tuple[Behaviour, ...] = attrs.field(init=False)
    on_handset: tuple[Behaviour, ...] = attrs.field(init=False)
    receipt_message_id: tuple[Behaviour, ...] = attrs.field(init=False)
    tell: tuple[Behaviour, ...] = attrs.field(init=False)
    receipts: tuple[Behaviour, ...] = attrs.field(init=False)
    carries: tuple[Behaviour, ...] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.change(self.behaviours)

    def change(self, behaviours: tuple[Behaviour, ...]) -> None:
        """Take other behaviours from now on."""
        self.behaviours = behaviours
        for name in HOOKS:
            own = getattr(Behaviour, name)
            changed = tuple(each for each in behaviours if getattr(type(each), name) is not own)
            setattr(self, name, changed)
