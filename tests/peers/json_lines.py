"""How the peers written in Python speak with a test: one JSON object a line, on standard input and output.

A peer lives in a process of its own, so that its loop, its threads and its warnings stay there, and
so that it can be killed. It ends when its standard input does.
"""

import asyncio
import json
import sys
import threading


def say(event, **facts):
    """Tell the test that something has happened."""
    sys.stdout.write(json.dumps({"event": event, **facts}) + "\n")
    sys.stdout.flush()


def listen(take):
    """Call `take` with each order, and with None at the end, from a thread of its own."""

    def read():
        for line in sys.stdin:
            take(json.loads(line))
        take(None)

    threading.Thread(target=read, daemon=True).start()


def orders_of(loop):
    """Give an asyncio queue of the orders; the last one is None."""
    queue = asyncio.Queue()
    listen(lambda order: loop.call_soon_threadsafe(queue.put_nowait, order))
    return queue
