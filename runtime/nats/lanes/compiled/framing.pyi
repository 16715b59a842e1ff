# The compiled form of `runtime.nats.lanes.framing`.

from typing import Final

from runtime.nats.lanes.framing import Lines, Taken

SOURCE: Final[str]

def split(data: bytes, at: int, lines: Lines, /) -> tuple[int, Taken]: ...
