# Messages written from constants and values: the compiled form of what `producers.normalize.writer` generates.

from collections.abc import Callable
from typing import Any, Final, TypeAlias, final

SOURCE: Final[str]

@final
class Writer:
    def __new__(
        cls,
        python: Callable[..., Any],
        message: Callable[..., Any],
        route: Any,
        text: tuple[bytes, bytes, tuple[bytes, ...], bytes],
        values: tuple[tuple[str, ...], tuple[Any, ...], tuple[int, ...], bytes | None],
        detail: tuple[Callable[..., Any] | None, tuple[int, ...] | None],
        ahead: int,
        named: int,
        /,
    ) -> Writer: ...
    def write(self, **values: Any) -> Any: ...
    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def defaults(self) -> tuple[Any, ...]: ...

# A step: kind, the value's place, field, whether it may be null, form, field beside, scale, words or parts.
Step: TypeAlias = tuple[int, int, int, int, int, int, int, tuple[Any, ...]]

@final
class Plan:
    # Of each event: writer, what its id begins with, which fields it needs (bits), steps.
    def __new__(cls, events: tuple[tuple[Writer, bytes, int, tuple[Step, ...]], ...], /) -> Plan: ...

@final
class Reader:
    def __new__(
        cls,
        python: Callable[[bytes, int], Any],
        find: Callable[[str], Plan | None],
        crc32: Callable[[bytes], int],
        nodes: tuple[tuple[tuple[bytes, int, int], ...], ...],
        outer: int,
        fields: int,
        owner: int,
        merging: tuple[Callable[[tuple[bytes | None, ...]], None], int, int],
        /,
    ) -> Reader: ...
    def read(self, frame: bytes, ts_recv: int, /) -> Any: ...
