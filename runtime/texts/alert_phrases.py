"""Phrases of alerts. Pure."""

from __future__ import annotations

from typing import Final

from runtime.texts.phrase import Phrase

PHRASES: Final = {
    "age.ago": Phrase("{age} ago", "{age} lalu"),
    "age.none": Phrase("age unknown", "umur tidak diketahui"),
    "side.buy": Phrase("🟢 buy", "🟢 beli"),
    "side.sell": Phrase("🔴 sell", "🔴 jual"),
    "side.long": Phrase("🔴 long", "🔴 long"),
    "side.short": Phrase("🟢 short", "🟢 short"),
    "side.none": Phrase("⚪ unknown side", "⚪ sisi tidak diketahui"),
    "alert.whale": Phrase("🐋 <b>Whale trade: {symbol}</b>", "🐋 <b>Transaksi paus: {symbol}</b>"),
    "alert.liquidation": Phrase("💥 <b>Large liquidation: {symbol}</b>", "💥 <b>Likuidasi besar: {symbol}</b>"),
    "alert.cluster": Phrase("🐳 <b>Whales on one side: {symbol}</b>", "🐳 <b>Paus searah: {symbol}</b>"),
    "alert.storm": Phrase("⛈ <b>Liquidation storm: {symbol}</b>", "⛈ <b>Badai likuidasi: {symbol}</b>"),
    "alert.funding_extreme": Phrase("💸 <b>Extreme funding: {symbol}</b>", "💸 <b>Funding ekstrem: {symbol}</b>"),
    "alert.interest_jump": Phrase(
        "📦 <b>Open interest jumped: {symbol}</b>", "📦 <b>Open interest melonjak: {symbol}</b>"
    ),
    "alert.wall": Phrase("🧱 <b>Wall in the book: {symbol}</b>", "🧱 <b>Dinding di buku order: {symbol}</b>"),
    "alert.spread": Phrase("↔️ <b>Wide spread: {symbol}</b>", "↔️ <b>Selisih melebar: {symbol}</b>"),
    "alert.volume_spike": Phrase("📶 <b>Volume spike: {symbol}</b>", "📶 <b>Lonjakan volume: {symbol}</b>"),
    "alert.listing": Phrase("🆕 <b>New listing: {symbol}</b>", "🆕 <b>Pencatatan baru: {symbol}</b>"),
    "alert.price_alert": Phrase("🎯 <b>Price alert: {symbol}</b>", "🎯 <b>Peringatan harga: {symbol}</b>"),
    "alert.at_exchange": Phrase("on {exchange}", "di {exchange}"),
    "alert.all_exchanges": Phrase("over all exchanges", "di semua bursa"),
    "alert.price": Phrase("price {price}", "harga {price}"),
    "alert.threshold": Phrase("limit {threshold}", "batas {threshold}"),
    "alert.stands_for": Phrase("{count} times since the last message", "{count} kali sejak pesan terakhir"),
    "alert.late": Phrase("late: it happened while I was away", "terlambat: terjadi saat saya tidak aktif"),
    "alert.test": Phrase("🧪 simulated", "🧪 simulasi"),
    "alert.note": Phrase("📝 {note}", "📝 {note}"),
    "alert.why": Phrase("/why {id}", "/why {id}"),
    "alert.why_button": Phrase("❔ Why?", "❔ Mengapa?"),
    "alert.past_button": Phrase("🕰 As it was", "🕰 Saat itu"),
    "alert.tier": Phrase("tier {tier}", "kelas {tier}"),
    "condition.above": Phrase("rose above {value}", "naik di atas {value}"),
    "condition.below": Phrase("fell below {value}", "turun di bawah {value}"),
    "condition.crosses": Phrase("crossed {value}", "melintasi {value}"),
    "condition.change": Phrase("changed by {value}%", "berubah {value}%"),
    "condition.every": Phrase("regular price", "harga berkala"),
    "direction.up": Phrase("⬆️ from {previous} to <b>{price}</b>", "⬆️ dari {previous} ke <b>{price}</b>"),
    "direction.down": Phrase("⬇️ from {previous} to <b>{price}</b>", "⬇️ dari {previous} ke <b>{price}</b>"),
    "direction.none": Phrase("now <b>{price}</b>", "sekarang <b>{price}</b>"),
    "alert.row": Phrase("{time} {icon} {symbol} {figures}", "{time} {icon} {symbol} {figures}"),
    "kind.whale": Phrase("🐋 Whale trades", "🐋 Transaksi paus"),
    "kind.liquidation": Phrase("💥 Large liquidations", "💥 Likuidasi besar"),
    "kind.cluster": Phrase("🐳 Whale clusters", "🐳 Gerombolan paus"),
    "kind.storm": Phrase("⛈ Liquidation storms", "⛈ Badai likuidasi"),
    "kind.funding_extreme": Phrase("💸 Extreme funding", "💸 Funding ekstrem"),
    "kind.interest_jump": Phrase("📦 Open interest jumps", "📦 Lonjakan open interest"),
    "kind.wall": Phrase("🧱 Walls", "🧱 Dinding"),
    "kind.spread": Phrase("↔️ Wide spreads", "↔️ Selisih lebar"),
    "kind.volume_spike": Phrase("📶 Volume spikes", "📶 Lonjakan volume"),
    "kind.listing": Phrase("🆕 New listings", "🆕 Pencatatan baru"),
    "kind.price_alert": Phrase("🎯 Price alerts", "🎯 Peringatan harga"),
}
