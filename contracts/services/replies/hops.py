"""Where the time goes between an exchange and the state that is answered from, in replies."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field


class HopPercentiles(BaseModel):
    """Half, 95 and 99 of 100 samples of the last minutes were faster; milliseconds."""

    model_config = ConfigDict(extra="ignore")

    p50: float | None
    p95: float | None
    p99: float | None


Hops: TypeAlias = Annotated[
    dict[Literal["receive", "publish", "fold"], dict[str, HopPercentiles]],
    Field(
        description="milliseconds by hop and kind of event: receive from the exchange's clock to receipt, publish from "
        "there to the bus, fold from there into the state that is answered from"
    ),
]
