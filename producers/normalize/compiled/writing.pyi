# Messages written from constants and values: the compiled form of what `producers.normalize.writer` generates.

from collections.abc import Callable
from typing import Any, Final, final

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
