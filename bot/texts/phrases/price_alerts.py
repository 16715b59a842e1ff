"""Phrases of price alerts. Pure."""

from __future__ import annotations

from typing import Final

from runtime.texts.phrase import Phrase

PHRASES: Final = {
    "price_alerts.head": Phrase("🎯 <b>Your price alerts</b> ({count})", "🎯 <b>Peringatan harga Anda</b> ({count})"),
    "price_alerts.none": Phrase(
        "🎯 You have no price alerts. Make one: <code>/alert BTC above 100000</code>",
        "🎯 Anda belum punya peringatan harga. Buat satu: <code>/alert BTC above 100000</code>",
    ),
    "price_alerts.row": Phrase(
        "{state} <b>{symbol}</b> {condition}{repeat} · <code>{id}</code>",
        "{state} <b>{symbol}</b> {condition}{repeat} · <code>{id}</code>",
    ),
    "price_alerts.repeat": Phrase(" · repeating", " · berulang"),
    "price_alerts.once": Phrase(" · once", " · sekali"),
    "price_alerts.created": Phrase("✅ Price alert created:", "✅ Peringatan harga dibuat:"),
    "price_alerts.deleted": Phrase("🗑 Price alert {id} is deleted.", "🗑 Peringatan harga {id} dihapus."),
    "price_alerts.confirm": Phrase(
        "🎯 <b>{symbol}</b> is at <b>{price}</b> {quote}.\nTell you {repeat} when it is <b>{condition}</b>?",
        "🎯 <b>{symbol}</b> di <b>{price}</b> {quote}.\nBeri tahu {repeat} saat <b>{condition}</b>?",
    ),
    "price_alerts.cancelled": Phrase("✖️ No price alert was made.", "✖️ Tidak ada peringatan harga dibuat."),
    "price_alerts.snoozed": Phrase("😴 {id} is silent until {time}.", "😴 {id} senyap sampai {time}."),
    "price_alerts.woken": Phrase("⏰ {id} is awake again.", "⏰ {id} aktif kembali."),
    "rule.above": Phrase("above {value}", "di atas {value}"),
    "rule.below": Phrase("below {value}", "di bawah {value}"),
    "rule.crosses": Phrase("crosses {value}", "melintasi {value}"),
    "rule.change": Phrase("changes by {value}% within {window}", "berubah {value}% dalam {window}"),
    "rule.every": Phrase("every {interval}", "setiap {interval}"),
    "rule.once": Phrase("once", "sekali"),
    "rule.repeat": Phrase("each time", "setiap kali"),
    "state.active": Phrase("🟢", "🟢"),
    "state.snoozed": Phrase("😴", "😴"),
    "state.expired": Phrase("⌛", "⌛"),
    "state.done": Phrase("✅", "✅"),
}
