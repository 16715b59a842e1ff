"""Phrases of subscriptions and of why. Pure."""

from __future__ import annotations

from typing import Final

from runtime.texts.phrase import Phrase

PHRASES: Final = {
    "subscription.none": Phrase(
        "🔕 This chat gets no alerts. /subscribe turns them on.",
        "🔕 Obrolan ini tidak menerima peringatan. /subscribe mengaktifkannya.",
    ),
    "subscription.on": Phrase("🔔 <b>This chat gets alerts.</b>", "🔔 <b>Obrolan ini menerima peringatan.</b>"),
    "subscription.off": Phrase("🔕 This chat gets no more alerts.", "🔕 Obrolan ini tidak lagi menerima peringatan."),
    "subscription.kinds": Phrase("Kinds: {names}", "Jenis: {names}"),
    "subscription.symbols": Phrase("Symbols: {names}", "Simbol: {names}"),
    "subscription.tiers": Phrase("Tiers: {names}", "Kelas: {names}"),
    "subscription.venues": Phrase("Exchanges: {names}", "Bursa: {names}"),
    "subscription.all": Phrase("all", "semua"),
    "subscription.snoozed": Phrase("😴 Silent until {time}.", "😴 Senyap sampai {time}."),
    "subscription.awake": Phrase("⏰ No longer silent.", "⏰ Tidak lagi senyap."),
    "subscription.whales_on": Phrase("🐋 Whale alerts are on.", "🐋 Peringatan paus aktif."),
    "subscription.whales_off": Phrase("🐋 Whale alerts are off.", "🐋 Peringatan paus mati."),
    "why.fired": Phrase("✅ <b>It fired</b>: {rule}", "✅ <b>Berbunyi</b>: {rule}"),
    "why.held": Phrase("🤫 <b>Held by a cooldown</b>: {rule}", "🤫 <b>Ditahan masa jeda</b>: {rule}"),
    "why.not_met": Phrase("🚫 <b>The rule was not met</b>: {rule}", "🚫 <b>Aturan tidak terpenuhi</b>: {rule}"),
    "why.no_data": Phrase("📭 <b>There was no data for it</b>: {rule}", "📭 <b>Tidak ada data untuk itu</b>: {rule}"),
    "why.where": Phrase("{symbol} on {exchange}, {time}", "{symbol} di {exchange}, {time}"),
    "why.comparison": Phrase(
        "{mark} {what}: <b>{value}</b> {operator} {limit}", "{mark} {what}: <b>{value}</b> {operator} {limit}"
    ),
    "why.event": Phrase("• {time} {says}", "• {time} {says}"),
    "why.events": Phrase("Events that took part ({count}):", "Kejadian yang terlibat ({count}):"),
    "why.cooldown": Phrase("Silent from {start} to {end}, since {id}", "Senyap {start} sampai {end}, sejak {id}"),
    "why.delivery": Phrase("📨 {to} {target}: {state}{reason}", "📨 {to} {target}: {state}{reason}"),
    "why.missing": Phrase("⚠️ Missing: {names}", "⚠️ Tidak ada: {names}"),
    "why.same": Phrase("The recorded stream gives the same decision.", "Rekaman memberi keputusan yang sama."),
    "why.differs": Phrase("⚠️ The recorded stream gives another decision.", "⚠️ Rekaman memberi keputusan lain."),
}
