"""Everything a simulator is told: load, listing, keep-alive rules and the points that vendors leave open."""

from __future__ import annotations

from dataclasses import dataclass, field

from producers.simulator.hub import Heartbeat
from producers.simulator.instruments import VENUES

SLOWEST, FASTEST = 0.1, 50
STEPS_MS = ((4, 50), (15, 20), (FASTEST, 10))
DEFAULT_BASES = ("BTC", "ETH", "SOL", "XRP", "DOGE")


def default_heartbeats() -> dict[str, Heartbeat]:
    """Each venue's documented keep-alive rules.

    https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams
    https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams
    https://bybit-exchange.github.io/docs/v5/ws/connect
    https://www.okx.com/docs-v5/en/#overview-websocket-connect
    https://www.htx.com/en-us/opend/newApiPages/?id=7ec4a4da-7773-11ed-9966-0242ac110003
    https://docs.cdp.coinbase.com/exchange/websocket-feed/overview
    https://www.gate.com/docs/developers/apiv4/ws/en/#application-ping-pong
    https://docs.kraken.com/exchange/api-reference/futures-websocket (the 60 s of Kraken spot are not documented)
    https://www.kucoin.com/docs-new/websocket-api/base-info/introduction
    """
    return {
        "binance": Heartbeat(ping_every=20, pong_within=60, lifetime=86_400),
        "binanceusdm": Heartbeat(ping_every=180, pong_within=600, lifetime=86_400),
        "bybit": Heartbeat(idle_inbound=600),
        "okx": Heartbeat(idle_any=30, subscribe_within=30),
        "htx": Heartbeat(ping_every=5, pong_within=10),
        "coinbase": Heartbeat(subscribe_within=5),
        "kraken": Heartbeat(idle_any=60),
        "krakenfutures": Heartbeat(idle_inbound=60),
        "gate": Heartbeat(ping_every=20, pong_within=60),  # by protocol; its times are ours
        "kucoin": Heartbeat(idle_inbound=28, lifetime=86_400),
        "kucoinfutures": Heartbeat(idle_inbound=28, lifetime=86_400),
        "indodax": Heartbeat(idle_inbound=60, subscribe_within=25),  # not documented: 60 is ours, 25 is Centrifugo's
        "hyperliquid": Heartbeat(idle_any=60),
        "deribit": Heartbeat(ping_every=10, pong_within=10),  # by messages, for who asked for them
        "bitfinex": Heartbeat(),  # the venue beats on quiet channels and asks for nothing
    }


@dataclass(frozen=True, slots=True)
class Options:
    """What the vendors' pages leave open, and limits that tests may want to move."""

    binance_unknown_symbol_is_error: bool = False
    okx_book_snapshot: bool = True
    okx_net_positions: bool = False
    bybit_all_or_nothing: bool = True
    coinbase_level2_needs_auth: bool = True
    kraken_messages_per_s: int = 50
    krakenfutures_all_or_nothing: bool = True
    krakenfutures_ack_each: bool = False
    gate_refuses_old_requests: bool = True
    gate_liquidations_batched: bool = True
    gate_liquidation_size_is_order: bool = True
    kucoin_unknown_symbol_is_error: bool = True
    indodax_token_ttl_s: float | None = None  # seconds from the first socket on; the venue's own ends in 2031
    bitfinex_error_names_request: bool = True
    notice_lead_s: float = 30.0


@dataclass(frozen=True, slots=True)
class SimulatorConfig:
    """One simulator. `rate` (0.1 to 50) multiplies every event rate; `port` 0 takes a free one.

    `whale_every_s` and `cascade_every_s` are intervals at rate 1; `send_buffer` is how many bytes may wait for one
    slow client before its socket is cut.
    """

    seed: int = 1
    venues: tuple[str, ...] = VENUES
    rate: float = 1.0
    host: str = "127.0.0.1"
    port: int = 0
    bases: tuple[str, ...] = DEFAULT_BASES
    whale_every_s: tuple[float, float] = (5.0, 10.0)
    cascade_every_s: tuple[float, float] = (30.0, 60.0)
    heartbeats: dict[str, Heartbeat] = field(default_factory=default_heartbeats)
    options: Options = field(default_factory=Options)
    enforce_limits: bool = True
    send_buffer: int = 16 * 1024 * 1024

    def __post_init__(self) -> None:
        if not SLOWEST <= self.rate <= FASTEST:
            raise ValueError(f"rate: {self.rate} is not within 0.1 and 50")
        if not self.venues:
            raise ValueError("venues: none given")
        for venue in self.venues:
            if venue not in VENUES:
                raise ValueError(f"venues: {venue!r} is not one of {', '.join(VENUES)}")

    def heartbeat(self, venue: str) -> Heartbeat:
        """The rules of one venue: the given ones, else the documented ones."""
        return self.heartbeats.get(venue) or default_heartbeats()[venue]

    @property
    def step_ms(self) -> int:
        """How long one market step is: shorter at higher rates, always a divisor of 100 ms."""
        return next(step for rate, step in STEPS_MS if self.rate <= rate)
