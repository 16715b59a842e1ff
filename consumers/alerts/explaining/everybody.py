"""Explains alerts for everybody: the signal, as its detector explains it, and what became of it here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from consumers.alerts.everybody import LIQUIDATION, LIQUIDATION_RULE, Everybody, EverybodyRules, Silence, Verdict
from consumers.alerts.explaining.asking import Asking, NoServiceError
from consumers.alerts.explaining.past import Read, Wanted, read_span
from consumers.alerts.explaining.prices import LOOK_BACK_NS
from consumers.alerts.reading import PATTERNS
from consumers.alerts.store import AlertStore, Fired
from contracts import streams, subjects
from contracts.errors import HydrophoneError
from contracts.instrument import escape_token, split_symbol
from contracts.services import explaining as contract
from contracts.services.alerts import AlertDryRun, AlertDryRunQuery
from contracts.services.explaining import Comparison, Cooldown, Evidence, Explanation
from contracts.signals import Tier
from runtime.nats.bus import Bus
from runtime.nats.streams.api import Position
from runtime.nats.streams.reader import Start

FastEvent = Any  # a struct of `contracts.codec.fast`: decimals are text
DETECTORS: Final = {"whale": "whales", "cluster": "clusters", "storm": "storms"}  # the others are of `detectors`
_DRY_SECONDS: Final = 10.0  # a part of a stream is read
KEPT_NS: Final = 30 * 86_400 * 10**9


def detector_of(kind: str) -> str:
    """Return the consumer that explains signals of a kind."""
    return DETECTORS.get(kind, "detectors")


class EverybodyExplainer:
    """Answers for alerts for everybody."""

    def __init__(self, bus: Bus, store: AlertStore, rules: EverybodyRules) -> None:
        self._bus, self._store, self._rules = bus, store, rules
        self._ask = Asking(bus)

    async def why(self, fired: Fired) -> Explanation:
        """Fold what came since the alert before it again, and let the detector explain the signal."""
        alert = fired.alert
        before = await self._before(alert, alert.ts_recv)
        everybody, verdicts = Everybody(self._rules), list[tuple[Verdict, FastEvent, str, int]]()
        if before is not None:
            silence = Silence(before.alert.ts_recv, before.alert.ts_recv, before.alert.id, before.seq)
            everybody.silences.put(_key(alert), silence)

        def on_event(subject: str, event: FastEvent, position: Position) -> bool:
            verdict = everybody.fold(subject, event, position.stream_seq)
            if verdict is not None and verdict.key == _key(alert) and verdict.state != "not_met":
                verdicts.append((verdict, event, subject, position.stream_seq))
            return position.stream_seq < fired.seq

        start = Start(sequence=fired.seq if before is None else before.seq + 1)
        read = await self._read(alert.alert, alert.id.partition(".alert.")[0], start, on_event)
        again = next((verdict.alert for verdict, *_, seq in verdicts if seq == fired.seq), None)
        same = again is not None and msgspec.structs.replace(again, late=alert.late) == alert
        found = Explanation(
            decision="fired",
            rule=alert.rule,
            symbol=alert.symbol,
            venue=alert.venue,
            at=alert.fired_at,
            comparisons=self._compared(alert, before),
            events=[
                Evidence(id=event.id, subject=subject, sequence=seq, ts=event.ts_recv, says=_says(event, verdict))
                for verdict, event, subject, seq in verdicts[-20:]
            ],
            missing=[] if read.complete else ["the stream does not hold the beginning any more"],
            read=[read.as_span()],
            same=same if again is not None or read.complete else None,
            published=msgspec.to_builtins(alert),
        )
        return found if alert.alert == LIQUIDATION else await self._with_detector(found, alert)

    async def why_signal(self, signal_id: str, kind: str) -> Explanation:
        """Return what the detector says of a signal; NotFoundError where it knows none."""
        try:
            return await self._ask(f"{detector_of(kind)}.why", contract.WhyQuery(id=signal_id), Explanation)
        except NoServiceError as error:
            return _silent("fired", kind, (signal_id.split(".", maxsplit=1)[0], "", 0), str(error))

    async def why_not(self, query: contract.WhyNotQuery) -> Explanation:
        """Return what a detector decided at a moment, and whether an alert came of it."""
        base = split_symbol(query.symbol)[0]
        if query.rule == LIQUIDATION:
            found = await self._why_no_liquidation(query, base)
        else:
            try:
                found = await self._ask(f"{detector_of(query.rule)}.why_not", query, Explanation)
            except NoServiceError as error:
                return _silent("no_data", query.rule, (query.venue or "all", query.symbol, query.at), str(error))
        if found.decision != "fired":
            return found
        published = await self._store.find_between(query.rule, base, query.at - LOOK_BACK_NS, query.at)
        fitting = [one for one in published if found.venue in {subjects.ALL_VENUES, one.alert.venue}]
        if fitting:
            return found.model_copy(update={"published": msgspec.to_builtins(fitting[-1].alert)})
        return await self._held(found, query, base)

    async def dry_run(self, query: AlertDryRunQuery, symbol: str | None) -> AlertDryRun:
        """Return how often a rule would have fired: of a detector its signals, of liquidations the alerts."""
        if query.rule == LIQUIDATION:
            return await self._liquidations(query, symbol)
        asked = contract.DryRunQuery(
            rule=query.rule or "",
            symbol=symbol,
            venue=query.exchange,
            start=query.start,
            end=query.end,
            limits=query.limits,
        )
        name = f"{detector_of(asked.rule)}.dry_run"
        reply = await self._ask(name, asked, contract.DryRunReply, _DRY_SECONDS)
        return AlertDryRun(count=reply.count, crossings=reply.count, fired=reply.fired, read=reply.read)

    async def _liquidations(self, query: AlertDryRunQuery, symbol: str | None) -> AlertDryRun:
        everybody, fired, counts = Everybody(self._rules), list[contract.Fired](), [0, 0]

        def on_event(subject: str, event: FastEvent, position: Position) -> bool:
            if event.ts_recv > query.end:
                return False
            if event.ts_recv < query.start:
                return True
            verdict = everybody.fold(subject, event, position.stream_seq)
            if verdict is not None and verdict.state != "not_met":
                counts[1] += 1
            if verdict is not None and verdict.alert is not None:
                counts[0] += 1
                fired.append(_fired(verdict.alert, event, verdict))
            return True

        base = "*" if symbol is None else escape_token(split_symbol(symbol)[0])
        pattern = f"{query.exchange or '*'}.{base}.>"
        read = await self._read(LIQUIDATION, pattern, Start(time_ns=query.start), on_event)
        return AlertDryRun(count=counts[0], crossings=counts[1], fired=fired[:1000], read=[read.as_span()])

    async def _why_no_liquidation(self, query: contract.WhyNotQuery, base: str) -> Explanation:
        everybody, seen = Everybody(self._rules), list[tuple[Verdict, FastEvent, str, int]]()

        def on_event(subject: str, event: FastEvent, position: Position) -> bool:
            if event.ts_recv > query.at:
                return False
            if event.ts_recv > query.at - LOOK_BACK_NS:
                verdict = everybody.fold(subject, event, position.stream_seq)
                if verdict is not None:
                    seen.append((verdict, event, subject, position.stream_seq))
            return True

        pattern = f"{query.venue or '*'}.{escape_token(base)}.>"
        read = await self._read(LIQUIDATION, pattern, Start(time_ns=query.at - LOOK_BACK_NS), on_event)
        met = [one for one in seen if one[0].state != "not_met"]
        limit = self._rules.liquidation_usd[self._rules.tiers.find(base)]
        closest = sorted(seen, key=lambda one: -float(one[0].usd or 0))[:5]
        return Explanation(
            decision="fired" if met else "not_met" if seen else "no_data",
            rule=LIQUIDATION_RULE,
            symbol=query.symbol,
            venue=query.venue or subjects.ALL_VENUES,
            at=query.at,
            comparisons=[
                Comparison(
                    what="usd_value",
                    value=verdict.usd or "unknown",
                    operator=">=",
                    limit=f"{limit:f}",
                    holds=verdict.state != "not_met",
                    at=event.ts_recv,
                )
                for verdict, event, _, _ in closest
            ],
            events=[
                Evidence(id=event.id, subject=subject, sequence=seq, ts=event.ts_recv, says=_says(event, verdict))
                for verdict, event, subject, seq in closest
            ],
            missing=[] if seen else ["no liquidation within the minute before"],
            read=[read.as_span()],
        )

    async def _held(self, found: Explanation, query: contract.WhyNotQuery, base: str) -> Explanation:
        """Return that what was met was held by the alert before it; as it is where there was none."""
        earlier = await self._store.find_between(query.rule, base, query.at - KEPT_NS, query.at - LOOK_BACK_NS)
        fitting = [one for one in earlier if found.venue in {subjects.ALL_VENUES, one.alert.venue}]
        if not fitting:
            return found.model_copy(update={"missing": [*found.missing, "no alert is kept of it"]})
        last = fitting[-1].alert
        until = last.ts_recv + self._rules.cooldown[self._tier(last)]
        held = Cooldown(fired_id=last.id, since=last.ts_recv, until=until)
        return found.model_copy(update={"decision": "held", "cooldown": held})

    async def _with_detector(self, found: Explanation, alert: FastEvent) -> Explanation:
        try:
            query = contract.WhyQuery(id=alert.causes[-1])
            signal = await self._ask(f"{detector_of(alert.alert)}.why", query, Explanation)
        except (NoServiceError, HydrophoneError) as error:
            return found.model_copy(update={"missing": [*found.missing, str(error)]})
        parts: dict[str, Any] = {
            "comparisons": [*signal.comparisons, *found.comparisons],
            "events": [*signal.events, *found.events],
            "missing": [*found.missing, *signal.missing],
            "read": [*signal.read, *found.read],
        }
        if found.same is not None and signal.same is not None:
            parts["same"] = found.same and signal.same
        return found.model_copy(update=parts)

    def _compared(self, alert: FastEvent, before: Fired | None) -> list[Comparison]:
        at, tier = alert.ts_recv, self._tier(alert)
        compared: list[Comparison] = []
        if alert.alert == LIQUIDATION:
            limit = f"{self._rules.liquidation_usd[tier]:f}"
            compared.append(
                Comparison(what="usd_value", value=alert.usd_value, operator=">=", limit=limit, holds=True, at=at)
            )
        if before is not None:
            seconds = (at - before.alert.ts_recv) / 1e9
            limit = str(self._rules.cooldown[tier] // 10**9)
            what = "seconds since the last alert"
            compared.append(
                Comparison(what=what, value=f"{seconds:.3f}", operator=">=", limit=limit, holds=True, at=at)
            )
        return compared

    def _tier(self, alert: FastEvent) -> Tier:
        return alert.tier or self._rules.tiers.find(split_symbol(alert.symbol)[0])

    async def _before(self, alert: FastEvent, at: int) -> Fired | None:
        base = split_symbol(alert.symbol)[0]
        found = await self._store.find_between(alert.alert, base, at - KEPT_NS, at)
        same = [one for one in found if _key(one.alert) == _key(alert) and one.alert.id != alert.id]
        return same[-1] if same else None

    async def _read(
        self, kind: str, tail: str, start: Start, on_event: Callable[[str, FastEvent, Position], bool]
    ) -> Read:
        stream = streams.LIQUIDATIONS if kind == LIQUIDATION else streams.SIGNALS
        pattern = f"{PATTERNS[stream].removesuffix('>')}{'' if kind == LIQUIDATION else kind + '.'}{tail}"
        return await read_span(self._bus, Wanted(stream, (pattern,), start), on_event)


def _key(alert: FastEvent) -> str:
    return f"{alert.alert}.{alert.id.partition('.alert.')[0]}.{alert.side or '-'}"


def _says(event: FastEvent, verdict: Verdict) -> str:
    parts = (
        getattr(event, "side", None) or getattr(event, "position_side", None),
        verdict.usd and f"{verdict.usd} USD",
    )
    return " ".join(part for part in (*parts, verdict.state) if part)


def _fired(alert: FastEvent, event: FastEvent, verdict: Verdict) -> contract.Fired:
    return contract.Fired(
        at=alert.fired_at, id=alert.id, symbol=alert.symbol, venue=alert.venue, says=_says(event, verdict)
    )


def _silent(decision: contract.Decision, rule: str, where: tuple[str, str, int], reason: str) -> Explanation:
    venue, symbol, at = where
    return Explanation(
        decision=decision,
        rule=rule,
        symbol=symbol,
        venue=venue,
        at=at,
        comparisons=[],
        events=[],
        missing=[reason],
        read=[],
    )
