"""Whether the other side of a connection reads, by what it lets its sender send. Pure but for `find_window`.

A receiver announces up to which byte it takes data (RFC 9293, 3.8.6.2). Whoever reads moves that end on by all that it
was sent; whoever does not lets its buffer fill, and the end stays behind. Server-sent events have no answers: this is
the only sign of a client that is there and reads nothing.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections import deque
from typing import Final

LOOK_SECONDS: Final = 1.75  # from one look at a client to the next
LOOKS: Final = 4  # after which a client that read nothing of what it was sent is taken for one that does not read
SENT_EACH: Final = 2048  # bytes between two looks at least: fewer would not be seen in the window
LEAST_READ: Final = 0.6  # of that: the end of a window that is not read from moves, too, while its buffer grows
_ACKED_AT: Final = 120  # in Linux's `struct tcp_info`: tcpi_bytes_acked, 8 bytes
_WINDOW_AT: Final = 228  # tcpi_snd_wnd, 4 bytes, since Linux 5.4
_INFO_BYTES: Final = 256


class ReadingWatch:
    """Judges one client by the ends of its window, one look after the other."""

    def __init__(self) -> None:
        self._ends: deque[int] = deque(maxlen=LOOKS + 1)

    def is_reading(self, end: int | None) -> bool:
        """Return whether a client reads whose window ends there, in bytes of the connection; None: it is not known."""
        if end is None:
            return True
        self._ends.append(end)
        return len(self._ends) <= LOOKS or end - self._ends[0] >= LEAST_READ * LOOKS * SENT_EACH


def find_window(transport: asyncio.BaseTransport) -> int | None:
    """Return up to which byte of the connection its other side takes data now; None where the system does not say."""
    plain: socket.socket | None = transport.get_extra_info("socket")
    if plain is None or plain.family == socket.AF_UNIX or sys.platform != "linux":
        return None
    info = plain.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
    if len(info) < _WINDOW_AT + 4:
        return None
    acked: int = struct.unpack_from("=Q", info, _ACKED_AT)[0]
    window: int = struct.unpack_from("=I", info, _WINDOW_AT)[0]
    return acked + window
