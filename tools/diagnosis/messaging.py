"""The stages with messages: one submitted with its receipt, a text from a handset, and two bounded probes.

Nothing here is sent unless somebody named a destination and a text; no more than the contract allows.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from math import floor
from typing import Final

import attrs
import trio

from whiteroute.engine.messages import Message, make_parts
from whiteroute.engine.session import Exchange, ExchangeEnd, LocalProtocolError, Pace
from whiteroute.pdu import (
    DeliveryReceipt,
    ParseLevel,
    SubmitSm,
    decode_text,
    equivalence_keys,
    parse_data_coding,
    parse_receipt,
    status_meaning,
    status_name,
    user_data,
)
from whiteroute.routing import normalise_msisdn

from .examined import Examined
from .observed import Sent
from .probe import Delivery, ProbedLink

__all__ = ["probe_throttle", "probe_window", "submit", "wait_for_mo"]

MOST_PROBED: Final = 500
"""Messages that one probe sends at most, whatever the rate: each of them costs money."""


def _submitter(on: Examined) -> ProbedLink | None:
    return on.probes[0] if on.seen.bound_as != "rx" else None


def _parts(on: Examined, message: Message, reference: int) -> tuple[SubmitSm, ...]:
    profile = on.target.settings.profile
    return make_parts(
        message,
        normalise_msisdn(message.to),
        addresses=profile.addresses,
        text=profile.text,
        submit=profile.submit,
        reference=reference,
        now=datetime.now(UTC),
    )


async def submit(on: Examined, message: Message) -> bool:
    """Submit one message, and wait for its receipts.

    Returns:
        Whether the links still stand.
    """
    probe, started_at = _submitter(on), trio.current_time()
    if probe is None:
        on.report("submit", False, started_at, "not sent: a receiver cannot submit")
        return True
    came_before = sum(len(each.deliveries) for each in on.probes)
    for part in _parts(on, message, 1):
        on.seen.sent.append(await _send(probe, part))
    # What ends the link right behind its answer is about the message.
    await trio.lowlevel.checkpoint()
    stands = on.note_end("submit")
    sent = on.seen.sent
    accepted = [part for part in sent if part.command_status == 0 and not part.is_nacked]
    status = next((part.command_status for part in sent if part.command_status), None)
    if status is None and accepted:
        status = 0
    finding = "; ".join(_sent_in_words(part) for part in sent)
    ids = [part.message_id for part in sent]
    on.report(
        "submit",
        stands and len(accepted) == len(sent),
        started_at,
        finding if stands else f"{finding}; {on.end_in_words()}",
        status=status,
        facts={"message_ids": ids, "took_ms": [round(part.took * 1000, 3) for part in sent]},
    )
    if stands and accepted and on.wishes.receipt_wait:
        stands = await _wait_for_receipts(on, message, accepted, came_before)
    return stands


async def _send(probe: ProbedLink, part: SubmitSm) -> Sent:
    sent_at = trio.current_time()
    try:
        exchange = await probe.ask(part)
    except LocalProtocolError:
        return Sent(sent_at=sent_at)
    sent = _sent(exchange, 1, trio.current_time())
    if sent.command_status is None and probe.nacks:
        return attrs.evolve(sent, command_status=probe.nacks[-1].command_status, is_nacked=True)
    return sent


def _sent(exchange: Exchange, in_flight: int, now: float) -> Sent:
    response = exchange.response
    return Sent(
        message_id=getattr(response, "message_id", ""),
        command_status=None if response is None else response.command_status,
        is_nacked=exchange.end is ExchangeEnd.NACKED,
        took=now - exchange.sent_at,
        in_flight=in_flight,
        sent_at=exchange.sent_at,
    )


def _sent_in_words(part: Sent) -> str:
    if part.command_status is None:
        return f"no answer within {part.took:.1f} s; the message may have been taken"
    if part.command_status or part.is_nacked:
        status = part.command_status
        word = "generic_nack with" if part.is_nacked else "refused with"
        meaning = status_meaning(status).rstrip(".")
        return f"{word} {status_name(status)} ({status:#04x}): {meaning}"
    named = f"message_id {part.message_id}" if part.message_id else "without a message_id"
    return f"accepted as {named} in {part.took * 1000:.1f} ms"


# Receipts.


async def _wait_for_receipts(
    on: Examined, message: Message, accepted: list[Sent], came_before: int
) -> bool:
    started_at, seen, profile = trio.current_time(), on.seen, on.target.settings.profile
    seen.waited_for_receipt = True
    keys = {profile.response_message_id.normalise(part.message_id) for part in accepted}
    deadline = started_at + on.wishes.receipt_wait

    def final() -> list[DeliveryReceipt]:
        return [each for each in _receipts(on) if each.is_final and _is_ours(on, each, keys)]

    def is_told() -> bool:
        strange = [each for each in _receipts(on) if each.is_final and not _is_ours(on, each, keys)]
        return len(final()) >= len(accepted) or bool(strange and _is_about(strange[-1], message))

    receiver = on.probes[-1]
    await receiver.wait_for(is_told, max(0.0, deadline - trio.current_time()))
    if not final():
        # A stray one may have come ahead of ours.
        await receiver.wait_for(lambda: bool(final()), min(1.0, on.wishes.receipt_wait))
    stands = on.note_end("receipt")
    receipts = _receipts(on)
    ours = [each for each in receipts if _is_ours(on, each, keys)]
    other = [each for each in receipts if each not in ours]
    seen.receipts_final = len({each.message_id for each in ours if each.is_final})
    seen.receipts_intermediate = sum(not each.is_final for each in ours)
    seen.receipts_unreadable = sum(each.parse_level is ParseLevel.OPAQUE for each in other)
    named = [each for each in other if each.message_id]
    rules: list[str] = []
    if not seen.receipts_final:
        about = [each for each in named if _is_about(each, message) and each.is_final]
        seen.receipts_with_other_id = len(about)
        rules = [
            rule
            for part in accepted
            for each in about
            for rule in _rules_that_meet(part.message_id, each.message_id)
        ]
        seen.other_id_is_equivalent = bool(rules)
        named = [each for each in named if each not in about]
    seen.deliveries_foreign = len(named)
    seen.deliveries_repeated = _repeated(on)
    good = seen.receipts_final >= len(accepted)
    words = [f"{each.message_id} {each.stat or 'no state'} err {each.err or '-'}" for each in ours]
    if not good:
        words.append(
            f"{seen.receipts_final} of {len(accepted)} final within {on.wishes.receipt_wait:g} s"
        )
    if seen.receipts_with_other_id:
        words += [f"one names {each.message_id}" for each in other if each.message_id]
        words += [f"the same by {rule}" for rule in rules[:2]]
    on.report(
        "receipt",
        good and stands,
        started_at,
        "; ".join(words) if stands else on.end_in_words(),
        facts={
            "receipts": [
                {"message_id": each.message_id, "stat": each.stat, "err": each.err}
                for each in receipts
            ],
            "deliveries_before": came_before,
        },
    )
    return stands


def _receipts(on: Examined) -> list[DeliveryReceipt]:
    dialect = on.target.settings.profile.receipt
    found = (parse_receipt(each.pdu, dialect) for each in _deliveries(on))
    return [receipt for receipt in found if receipt is not None]


def _deliveries(on: Examined) -> Iterator[Delivery]:
    for probe in on.probes:
        yield from probe.deliveries


def _is_ours(on: Examined, receipt: DeliveryReceipt, keys: set[str]) -> bool:
    return on.target.settings.profile.receipt_message_id.normalise(receipt.message_id) in keys


def _is_about(receipt: DeliveryReceipt, message: Message) -> bool:
    digits = normalise_msisdn(message.to)[-8:]
    return receipt.source_addr.endswith(digits) or receipt.destination_addr.endswith(digits)


def _rules_that_meet(response: str, receipt: str) -> list[str]:
    """Name the ways of reading both ids by which they are the same one."""
    if not response or not receipt:
        return []
    return [
        f"response_message_id {one}, receipt_message_id {other}"
        for one, key in equivalence_keys(response).items()
        for other, same in equivalence_keys(receipt).items()
        if key == same
    ]


def _repeated(on: Examined) -> int:
    bodies = [
        (each.pdu.source_addr, getattr(each.pdu, "short_message", b""), each.pdu.tlvs)
        for each in _deliveries(on)
    ]
    return sum(body in bodies[:number] for number, body in enumerate(bodies))


# Texts from handsets.


async def wait_for_mo(on: Examined) -> bool:
    """Wait for a text that somebody sends from a handset.

    Returns:
        Whether the links still stand.
    """
    started_at, receiver = trio.current_time(), on.probes[-1]
    if on.seen.bound_as == "tx":
        on.report("mo", False, started_at, "not waited for: a transmitter cannot receive")
        return True

    def texts() -> list[Delivery]:
        dialect = on.target.settings.profile.receipt
        return [each for each in _deliveries(on) if parse_receipt(each.pdu, dialect) is None]

    await receiver.wait_for(lambda: bool(texts()), on.wishes.mo_wait)
    on.seen.waited_for_mo = True
    on.seen.mo_texts = [_read(each) for each in texts()]
    stands = on.note_end("mo")
    words = [
        f"from {each.pdu.source_addr} to {each.pdu.destination_addr}, data_coding"
        f" {each.pdu.data_coding}: {_read(each)!r}"
        for each in texts()
    ]
    on.report(
        "mo",
        bool(words),
        started_at,
        "; ".join(words) or f"no text from a handset within {on.wishes.mo_wait:g} s",
    )
    return stands


def _read(delivery: Delivery) -> str:
    pdu = delivery.pdu
    return decode_text(user_data(pdu), parse_data_coding(pdu.data_coding).alphabet)


# Probes.


async def probe_window(on: Examined, message: Message, tps: float) -> bool:
    """Send at once as many messages as the window or one second of the contract allows.

    Returns:
        Whether the links still stand.
    """
    probe, started_at = _submitter(on), trio.current_time()
    window = on.target.settings.session.window
    most = max(1, min(window, floor(tps), MOST_PROBED))
    if probe is None:
        on.report("window", False, started_at, "not sent: a receiver cannot submit")
        return True
    exchanges: list[Exchange] = []
    for number in range(most):
        if probe.closed is not None:
            break
        exchanges.append(probe.link.send(_parts(on, message, number)[0]))
    await probe.wait_for(
        lambda: all(each.end is not None for each in exchanges), on.session.response_timeout + 1
    )
    took = trio.current_time() - started_at
    sent = [
        _sent(each, number, trio.current_time()) for number, each in enumerate(exchanges, start=1)
    ]
    return _tell_probe(on, "window", started_at, sent, f"{most} in flight at once", took)


async def probe_throttle(on: Examined, message: Message, tps: float) -> bool:
    """Send at exactly the contract's rate, evenly, for as long as was asked for.

    Returns:
        Whether the links still stand.
    """
    probe, started_at = _submitter(on), trio.current_time()
    if probe is None:
        on.report("throttle", False, started_at, "not sent: a receiver cannot submit")
        return True
    pace = Pace(tps)
    most = min(MOST_PROBED, max(1, floor(tps * on.wishes.throttle_probe)))
    exchanges: list[tuple[Exchange, int]] = []
    while len(exchanges) < most and probe.closed is None:
        now = trio.current_time()
        if not pace.allowed(now) or not probe.link.session.room:
            await trio.sleep_until(max(pace.next_at(now), now + 0.005))
            continue
        pace.spend(1, now)
        exchange = probe.link.send(_parts(on, message, len(exchanges))[0])
        exchanges.append((exchange, probe.link.session.in_flight))
    await probe.wait_for(
        lambda: all(each.end is not None for each, _ in exchanges), on.session.response_timeout + 1
    )
    took = trio.current_time() - started_at
    sent = [_sent(each, in_flight, each.sent_at) for each, in_flight in exchanges]
    return _tell_probe(on, "throttle", started_at, sent, f"{tps:g} a second", took)


def _tell_probe(
    on: Examined, stage: str, started_at: float, sent: list[Sent], asked: str, took: float
) -> bool:
    on.seen.sent += [attrs.evolve(part, is_probe=True) for part in sent]
    stands = on.note_end(stage)
    accepted = sum(part.command_status == 0 for part in sent)
    counts: dict[str, int] = {}
    for part in sent:
        status = part.command_status
        name = "no answer" if status is None else status_name(status)
        counts[name] = counts.get(name, 0) + 1
    refused = next((part for part in sent if part.command_status), None)
    words = [f"{len(sent)} messages, {asked}, in {took:.1f} s"]
    words.append(", ".join(f"{count} {name}" for name, count in counts.items()))
    if refused is not None:
        words.append(f"the first refusal with {refused.in_flight} in flight")
    on.report(
        stage,
        stands and accepted == len(sent),
        started_at,
        "; ".join(words) if stands else f"{words[0]}; {on.end_in_words()}",
        status=None if refused is None else refused.command_status,
        facts={"answers": counts},
    )
    return stands
