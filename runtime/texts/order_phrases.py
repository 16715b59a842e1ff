"""Phrases of what becomes of an owner's orders. Pure."""

from __future__ import annotations

from typing import Final

from runtime.texts.phrase import Phrase

PHRASES: Final = {
    "order_event.side.buy": Phrase("bought", "dibeli"),
    "order_event.side.sell": Phrase("sold", "dijual"),
    "order_event.filled": Phrase(
        "✅ <b>{symbol}</b>: {side} {amount} at {price}", "✅ <b>{symbol}</b>: {side} {amount} pada {price}"
    ),
    "order_event.fee": Phrase("fee {fee} {currency}", "biaya {fee} {currency}"),
    "order_event.strategy": Phrase("by strategy {strategy}", "oleh strategi {strategy}"),
    "order_event.order": Phrase("order {order} at {venue}", "order {order} di {venue}"),
    "order_event.rejected": Phrase(
        "⛔ <b>{symbol}</b>: your order was not placed", "⛔ <b>{symbol}</b>: order Anda tidak ditempatkan"
    ),
    "order_event.reason": Phrase("Why: {reason}", "Alasan: {reason}"),
    "order_event.foreign": Phrase(
        "👀 <b>{symbol}</b>: at {venue} an order is open that was not placed here ({order}). I do not touch it.",
        "👀 <b>{symbol}</b>: di {venue} ada order terbuka yang tidak ditempatkan di sini ({order}). Saya biarkan saja.",
    ),
    "order_event.tripped.venue": Phrase(
        "🛑 <b>Your orders at {venue} are stopped</b> after {errors} errors in a row.",
        "🛑 <b>Order Anda di {venue} dihentikan</b> setelah {errors} kesalahan berturut-turut.",
    ),
    "order_event.tripped.strategy": Phrase(
        "🛑 <b>The orders of strategy {strategy} are stopped</b> after {errors} errors in a row at {venue}.",
        "🛑 <b>Order dari strategi {strategy} dihentikan</b> setelah {errors} kesalahan berturut-turut di {venue}.",
    ),
    "order_event.tripped.heartbeat": Phrase(
        "🛑 <b>Your open orders at {venue} were cancelled</b>: I could not look after them.",
        "🛑 <b>Order terbuka Anda di {venue} dibatalkan</b>: saya tidak dapat mengawasinya.",
    ),
    "order_event.resume": Phrase("Go on with /resume.", "Lanjutkan dengan /resume."),
}
