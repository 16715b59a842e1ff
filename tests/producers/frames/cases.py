"""The table of recordings: which venue and market decode each file, and where its expected records mean other things.

Add a row for every file of a venue's folder. `translate` functions take an expected record and the frame's text, and
give the record as we would say it (None drops it); each says why. `unlisted` names kinds that the source leaves out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

Record = dict[str, Any]
Translate = Callable[[Record, str], Record | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One recording. `undecodable`: line -> a part of the reason with which it must be refused.

    `proofs`: how many of the venue's own checksums the rebuilt books must agree with (0: they are not the venue's).
    `depth`: to how many levels a side the recorded channel keeps a book, where that is not what we subscribe to.
    """

    folder: str
    name: str
    venue: str
    market: str
    seed: str | None = None
    translate: tuple[Translate, ...] = ()
    unlisted: frozenset[str] = frozenset()
    undecodable: Mapping[int, str] = field(default_factory=dict[int, str])
    proofs: int = 0
    depth: int | None = None

    @property
    def id(self) -> str:
        return f"{self.folder}/{self.name}"


def _payload(raw: str) -> Any:
    frame = json.loads(raw, parse_float=Decimal)
    return frame["data"] if "stream" in frame else frame


# ---- translations
def no_venue_time(record: Record, raw: str) -> Record:
    """Cryptofeed stamps Binance spot's bookTicker, which carries no time, with its own clock; we say null."""
    if record["type"] != "ticker":
        return record
    assert "E" not in _payload(raw)
    return {**record, "timestamp": None}


def engine_time(record: Record, raw: str) -> Record:
    """Cryptofeed and tardis take the push time `E` of a USD-M bookTicker; we take the matching engine's `T`."""
    if record["type"] not in {"ticker", "book_ticker"}:
        return record
    payload = _payload(raw)
    if "exchange" not in record:
        assert record["timestamp"] * 1000 == payload["E"]
    return {key: value for key, value in record.items() if key != "timestamp"} | {"timestamp_ms": payload["T"]}


def no_receive_time(record: Record, raw: str) -> Record:
    """Tardis stamps a frame without venue time with its own clock; we say null."""
    return {**record, "timestamp": None} if "E" not in _payload(raw) else record


def plain_amount(record: Record, raw: str) -> Record:
    """Cryptofeed prints small amounts with an exponent; the frame, and we, without."""
    amount = record.get("amount", "")
    if "E" not in amount:
        return record
    plain = format(Decimal(amount), "f")
    assert f'"{plain}"' in raw
    return {**record, "amount": plain}


def no_contract_size(record: Record, raw: str) -> Record:
    """Tardis gives a swap's best sizes in contracts; we give coins, so null where the contract's worth is unknown."""
    if record["type"] != "book_ticker":
        return record
    assert "-SWAP" in _payload(raw)["arg"]["instId"]
    return {**record, "bidAmount": None, "askAmount": None}


def htx_contracts(record: Record, raw: str) -> Record:
    """Cryptofeed gives the contracts of an HTX swap's trade as its amount; we give coins, and contracts beside.

    Of coins with 37 digits behind the point we give the 36 that the contract allows.
    """
    if record["type"] != "trade":
        return record
    row = next(row for row in _payload(raw)["tick"]["data"] if str(row["id"]) == record["id"])
    coins = format(row["quantity"], "f")
    whole, _, fraction = coins.partition(".")
    return {**record, "contracts": record["amount"], "amount": Decimal(f"{whole}.{fraction[:36] or 0}")}


def htx_names(record: Record, raw: str) -> Record:
    """Tardis writes HTX's pairs in capitals, and dated futures as their series; we write both as the frame does."""
    frame = _payload(raw)
    name = frame["data"][0]["contract_code"] if frame.get("op") == "notify" else record["symbol"].lower()
    return {**record, "symbol": name} if name in raw else record


def htx_sizes(record: Record, raw: str) -> Record | None:
    """Tardis gives best sizes in contracts (we: coins, null where the worth is unknown), and a future's basis."""
    if record["type"] == "book_ticker" and "seqId" not in raw:
        return {**record, "bidAmount": None, "askAmount": None}
    return None if record["type"] == "derivative_ticker" and "_NW.basis" in raw else record


def htx_seed(record: Record, raw: str) -> Record:
    """Tardis appends the waiting changes to the snapshot; we apply them: each price once, none that was removed."""
    if record["type"] != "book_change" or '"rep"' not in raw:
        return record
    sides: Record = {}
    for side in ("bids", "asks"):
        last = {level["price"]: level for level in record[side]}
        sides[side] = [level for level in last.values() if level["amount"]]
    return {**record, **sides}


def exact_trade_time(record: Record, raw: str) -> Record:
    """Cryptofeed reads Gate's `create_time_ms`, which goes beyond microseconds, as a float; we keep its digits."""
    if record["type"] != "trade" or "exchange" in record:
        return record
    exact = Decimal(_payload(raw)["result"]["create_time_ms"]) / 1000
    assert abs(exact - record["timestamp"]) < Decimal("0.000001")
    return {**record, "timestamp": exact}


def base_volume(record: Record, raw: str) -> Record | None:
    """Cryptofeed gives Gate's `v` as a candle's volume: the quote coin's on spot, contracts elsewhere.

    Without the base coin's `a` (not sent in 2021) or a contract's worth no volume but zero is known: no candle.
    """
    if record["type"] != "candle":
        return record
    result = _payload(raw)["result"]
    row = result[0] if isinstance(result, list) else result
    assert "a" not in row
    assert Decimal(row["v"]) == Decimal(record["volume"])
    return None if Decimal(row["v"]) else {**record, "volume": "0"}


def no_multiplier(record: Record, raw: str) -> Record:
    """Tardis gives Gate's best sizes in contracts; we give coins, so null where the contract's worth is unknown."""
    if record["type"] != "book_ticker":
        return record
    assert _payload(raw)["channel"] == "futures.book_ticker"
    return {**record, "bidAmount": None, "askAmount": None}


def exact_time(record: Record, raw: str) -> Record:
    """Cryptofeed reads KuCoin's ns as a float and stamps no ticker, tardis cuts ns to us; we keep the frame's."""
    data = _payload(raw)["data"]
    if record["type"] == "ticker":
        assert record["timestamp"] is None
        return {**record, "timestamp": Decimal(data["time"]) / 1000}
    if record["type"] in {"trade", "candle"} and "time" in data:
        return {**record, "timestamp": _nearly(record["timestamp"], int(data["time"]))}
    return record


def _nearly(theirs: Any, ours: int) -> Decimal:
    """Give the exact time, in seconds, where theirs is the same within two microseconds (a float's worth)."""
    seconds = Decimal(datetime.fromisoformat(theirs).timestamp()) if isinstance(theirs, str) else theirs
    assert abs(seconds * 10**9 - ours) < 2000
    return Decimal(ours) / 10**9


def no_removals(record: Record, raw: str) -> Record:
    """Tardis leaves a level that was removed while it waited for the snapshot in the book, with an amount of 0."""
    if record["type"] != "book_change" or not record["isSnapshot"]:
        return record
    kept = {side: [level for level in record[side] if level["amount"]] for side in ("bids", "asks")}
    return {**record, **kept}


def sized_in_dollars(record: Record, raw: str) -> Record:
    """Of inverse products sources give contracts of USD; we give coins, so null where a contract's worth is unknown."""
    product = _payload(raw).get("product_id", "")
    if not product.startswith(("PI_", "FI_")):
        return record
    if record["type"] == "book_ticker":
        return {**record, "bidAmount": None, "askAmount": None}
    if record["type"] == "trade" and "exchange" not in record:
        return {**record, "amount": None, "contracts": record["amount"]}
    return record


def relative_rate(record: Record, raw: str) -> Record:
    """Of Kraken Futures before autumn 2022 tardis gives the rate in coins a contract; we give the fraction."""
    if record["type"] != "derivative_ticker":
        return record
    return {**record, "fundingRate": _payload(raw).get("relative_funding_rate")}


def dollars_of_unknown_worth(record: Record, raw: str) -> Record | None:
    """Of Deribit's inverse contracts tardis gives dollars; we give coins, so null without a listing. No combos."""
    name = _payload(raw)["params"]["channel"].split(".")[1]
    if name.startswith(("BTC-STRD-", "BTC-CSR12-")):
        return None
    return {**record, "bidAmount": None, "askAmount": None} if record["type"] == "book_ticker" else record


def with_market_letter(record: Record, raw: str) -> Record:
    """Tardis writes a pair without the letter that the venue puts before the symbols of trading."""
    return {**record, "symbol": f"t{record['symbol']}"}


def sums_of_levels(record: Record, raw: str) -> Record:
    """Tardis takes the sizes of Bitfinex's ticker for the best levels'; they are sums of 25, and we say null."""
    return {**record, "bidAmount": None, "askAmount": None} if record["type"] == "book_ticker" else record


# ---- rows
BITFINEX: Final = (
    Case(folder="bitfinex", name="cryptofeed_ws11", venue="bitfinex", market="public"),
    Case(
        folder="bitfinex",
        name="tardis_bitfinex",
        venue="bitfinex",
        market="public",
        translate=(with_market_letter, sums_of_levels),
        unlisted=frozenset({"trade"}),  # tardis leaves out the prints with which a channel begins
        undecodable={0: "was not subscribed"},  # the recording begins after that channel's acknowledgement
    ),
)
DERIBIT: Final = (
    Case(folder="deribit", name="cryptofeed_ws1", venue="deribit", market="public"),
    Case(
        folder="deribit",
        name="nautilus_single_frames",
        venue="deribit",
        market="public",
        unlisted=frozenset({"ticker"}),  # single frames without expected records
    ),
    Case(
        folder="deribit",
        name="tardis_deribit",
        venue="deribit",
        market="public",
        translate=(dollars_of_unknown_worth,),
        unlisted=frozenset({"ticker"}),  # tardis skips `quote`
    ),
)
BINANCE: Final = (
    Case(
        folder="binance",
        name="cryptofeed_ws1",
        venue="binance",
        market="spot",
        seed="cryptofeed_http.rest",
        translate=(no_venue_time,),
    ),
    Case(folder="binance", name="hftbacktest_spot_btcusdt_20240808", venue="binance", market="spot"),
    Case(
        folder="binance",
        name="nautilus_single_frames",
        venue="binance",
        market="spot",
        unlisted=frozenset({"trade", "ticker"}),
    ),
    Case(folder="binance", name="tardis_binance", venue="binance", market="spot", translate=(no_receive_time,)),
)
BINANCEUSDM: Final = (
    Case(folder="binance_futures", name="community_bookticker", venue="binanceusdm", market="linear"),
    Case(folder="binance_futures", name="community_liquidations", venue="binanceusdm", market="linear"),
    Case(
        folder="binance_futures",
        name="cryptofeed_ws1",
        venue="binanceusdm",
        market="linear",
        seed="cryptofeed_http.rest",
        translate=(engine_time,),
    ),
    Case(folder="binance_futures", name="hftbacktest_usdm_ethusdt_20240808", venue="binanceusdm", market="linear"),
    Case(
        folder="binance_futures",
        name="nautilus_single_frames",
        venue="binanceusdm",
        market="linear",
        unlisted=frozenset({"trade", "ticker", "candle"}),  # single frames without expected records
    ),
    Case(
        folder="binance_futures",
        name="tardis_binance-futures",
        venue="binanceusdm",
        market="linear",
        translate=(engine_time,),
        unlisted=frozenset(
            {"trade", "ticker"}
        ),  # tardis skips aggTrade, and a 24 hour ticker that repeats the last one
    ),
)
BYBIT: Final = (
    Case(folder="bybit", name="community_liquidations", venue="bybit", market="linear"),
    Case(
        folder="bybit",
        name="community_tickers_delta",
        venue="bybit",
        market="linear",
        unlisted=frozenset({"ticker"}),  # expected is the state after the last of two deltas
    ),
    Case(folder="bybit", name="fastmm_v5_spot_testnet_btcusdt", venue="bybit", market="spot"),
    Case(
        folder="bybit",
        name="nautilus_single_frames",
        venue="bybit",
        market="linear",
        unlisted=frozenset({"trade", "ticker", "candle"}),  # single frames without expected records
    ),
    Case(folder="bybit", name="tardis_bybit-spot_m20230405", venue="bybit", market="spot"),
    Case(folder="bybit", name="tardis_bybit_m20230405", venue="bybit", market="linear"),
)
OKX: Final = (
    Case(folder="okx", name="community_liquidations", venue="okx", market="public"),
    Case(folder="okx", name="cryptofeed_ws1", venue="okx", market="public", translate=(plain_amount,)),
    Case(
        folder="okx",
        name="nautilus_single_frames",
        venue="okx",
        market="public",
        unlisted=frozenset({"trade", "ticker", "candle"}),  # single frames without expected records
        undecodable={3: "bare array"},  # an example of option figures without the frame around it
    ),
    Case(
        folder="okx",
        name="tardis_okex-futures_m20211223",
        venue="okx",
        market="public",
        unlisted=frozenset({"liquidation"}),  # tardis leaves out the first push after subscribing, a backlog
    ),
    Case(folder="okx", name="tardis_okex-swap_m20211223", venue="okx", market="public", translate=(no_contract_size,)),
    Case(folder="okx", name="tardis_okex-swap_m20220506", venue="okx", market="public"),
    Case(folder="okx", name="tardis_okex_m20211223", venue="okx", market="public"),
)
COINBASE: Final = (
    Case(folder="coinbase", name="cryptofeed_ws28", venue="coinbase", market="spot"),
    Case(folder="coinbase", name="fastmm_advanced_trade", venue="coinbase", market="spot"),
    Case(folder="coinbase", name="fastmm_exchange_level2_batch", venue="coinbase", market="spot"),
    Case(
        folder="coinbase",
        name="nautilus_single_frames",
        venue="coinbase",
        market="spot",
        unlisted=frozenset({"trade", "ticker", "candle"}),  # single frames without expected records
    ),
    Case(folder="coinbase", name="tardis_coinbase", venue="coinbase", market="spot"),
)
HTX: Final = (
    Case(folder="htx", name="cryptofeed_ws44", venue="htx", market="spot"),
    Case(
        folder="htx",
        name="tardis_huobi_m20191201",
        venue="htx",
        market="spot",
        translate=(htx_names,),
    ),
    Case(folder="htx", name="tardis_huobi_m20200703", venue="htx", market="spot", translate=(htx_names, htx_seed)),
    Case(folder="htx_swap", name="community_linear_swap", venue="htx", market="linear"),
    Case(folder="htx_swap", name="cryptofeed_ws1", venue="htx", market="linear", translate=(htx_contracts,)),
    Case(folder="htx_swap", name="cryptofeed_ws2", venue="htx", market="linear", translate=(htx_contracts,)),
    Case(
        folder="htx_swap",
        name="tardis_huobi-dm-swap",
        venue="htx",
        market="linear",
        translate=(htx_names, htx_sizes),
    ),
    Case(
        folder="htx_swap",
        name="tardis_huobi-dm",
        venue="htx",
        market="linear",
        translate=(htx_names, htx_sizes),
        unlisted=frozenset({"liquidation"}),  # tardis knows no series of a future before its first contract_info
    ),
)
GATE: Final = (
    Case(
        folder="gate",
        name="cryptofeed_ws1",
        venue="gate",
        market="spot",
        seed="cryptofeed_http.rest",
        translate=(exact_trade_time, base_volume),
    ),
    Case(folder="gate", name="tardis_gate-io_m20250801", venue="gate", market="spot"),
    Case(
        folder="gate_futures",
        name="cryptofeed_ws1",
        venue="gate",
        market="linear",
        seed="cryptofeed_http.rest",
        translate=(base_volume,),
    ),
    Case(
        folder="gate_futures",
        name="tardis_gate-io-futures",
        venue="gate",
        market="linear",
        translate=(no_multiplier,),
    ),
)
KUCOIN: Final = (
    Case(
        folder="kucoin",
        name="cryptofeed_ws1",
        venue="kucoin",
        market="spot",
        seed="cryptofeed_http.rest",
        translate=(exact_time,),
    ),
    Case(
        folder="kucoin",
        name="tardis_kucoin_m20220816",
        venue="kucoin",
        market="spot",
        translate=(exact_time, no_removals),
    ),
    Case(folder="kucoin_futures", name="captured_classic", venue="kucoinfutures", market="futures"),
    Case(
        folder="kucoin_futures",
        name="tardis_kucoin-futures_m20240122",
        venue="kucoinfutures",
        market="futures",
    ),
)

KRAKEN: Final = (
    Case(
        folder="kraken",
        name="nautilus_single_frames",
        venue="kraken",
        market="spot",
        unlisted=frozenset({"ticker", "candle"}),  # single frames without expected records
    ),
    Case(folder="kraken", name="cryptofeed_ws48", venue="kraken", market="spot"),
    Case(folder="kraken", name="cryptofeed_ws49", venue="kraken", market="spot"),
    Case(
        folder="kraken",
        name="cryptofeed_ws50",
        venue="kraken",
        market="spot",
        depth=1000,
        proofs=2304,
    ),
    Case(folder="kraken", name="tardis_kraken_m20190901", venue="kraken", market="spot"),
    Case(folder="kraken", name="tardis_kraken_m20260710", venue="kraken", market="spot"),
    Case(folder="kraken", name="v2_book_checksum_ethusd", venue="kraken", market="spot", proofs=2),
    Case(folder="kraken", name="v2_ticker", venue="kraken", market="spot"),
)
KRAKENFUTURES: Final = (
    Case(
        folder="kraken_futures",
        name="cryptofeed_ws1",
        venue="krakenfutures",
        market="futures",
        translate=(sized_in_dollars,),
        unlisted=frozenset({"trade"}),  # cryptofeed leaves out the trades before the subscription
    ),
    Case(folder="kraken_futures", name="nautilus_single_frames", venue="krakenfutures", market="futures"),
    Case(
        folder="kraken_futures",
        name="tardis_cryptofacilities_m20190901",
        venue="krakenfutures",
        market="futures",
        translate=(sized_in_dollars, relative_rate),
    ),
    Case(
        folder="kraken_futures",
        name="tardis_cryptofacilities_m20220930",
        venue="krakenfutures",
        market="futures",
        translate=(sized_in_dollars,),
    ),
)
INDODAX: Final = (
    Case(folder="indodax", name="captured_2026", venue="indodax", market="spot"),
    Case(
        folder="indodax", name="composed_newline_frames", venue="indodax", market="spot", unlisted=frozenset({"ticker"})
    ),
    Case(folder="indodax", name="official_doc_examples", venue="indodax", market="spot"),
)
HYPERLIQUID: Final = (
    Case(folder="hyperliquid", name="hftbacktest_hyperliquid_btc_20250126", venue="hyperliquid", market="public"),
    Case(
        folder="hyperliquid",
        name="nautilus_single_frames",
        venue="hyperliquid",
        market="public",
        undecodable={0: "channel"},  # an answer of REST among frames
    ),
    Case(
        folder="hyperliquid",
        name="tardis_hyperliquid_m20240823",
        venue="hyperliquid",
        market="public",
        unlisted=frozenset({"trade"}),  # tardis leaves out the first push of trades
        undecodable={3: "@2"},  # a spot pair that only the listing can name
    ),
)

CASES: Final = (
    *BINANCE,
    *BINANCEUSDM,
    *BYBIT,
    *OKX,
    *COINBASE,
    *KRAKEN,
    *KRAKENFUTURES,
    *HTX,
    *GATE,
    *KUCOIN,
    *INDODAX,
    *HYPERLIQUID,
    *DERIBIT,
    *BITFINEX,
)
