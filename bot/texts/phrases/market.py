"""Phrases of the market commands. Pure."""

from __future__ import annotations

from typing import Final

from runtime.texts.phrase import Phrase

PHRASES: Final = {
    "quality.live": Phrase("🟢 live", "🟢 langsung"),
    "quality.stale": Phrase("🟡 stale", "🟡 usang"),
    "quality.gap": Phrase("🟠 with gaps", "🟠 ada celah"),
    "quality.sim": Phrase("🧪 simulated", "🧪 simulasi"),
    "quality.simulated": Phrase("🧪 simulated", "🧪 simulasi"),
    "quality.core_away": Phrase(
        "the market core does not answer: this is its last answer",
        "inti pasar tidak menjawab: ini jawaban terakhirnya",
    ),
    "market.stale_exchanges": Phrase("⏳ Stale: {names}", "⏳ Usang: {names}"),
    "market.outliers": Phrase(
        "🚧 Far from the others, left out: {names}", "🚧 Jauh dari yang lain, diabaikan: {names}"
    ),
    "market.more": Phrase("… {count} more", "… {count} lagi"),
    "market.at": Phrase("🕒 {time}", "🕒 {time}"),
    "price.head": Phrase("💰 <b>{symbol}</b>  <b>{price}</b> {quote}", "💰 <b>{symbol}</b>  <b>{price}</b> {quote}"),
    "price.source": Phrase("{market}, from {source}", "{market}, dari {source}"),
    "price.aggregated": Phrase("volume-weighted over {names}", "tertimbang volume atas {names}"),
    "raw.head": Phrase("📊 <b>{symbol}</b>  <b>{price}</b> {quote}", "📊 <b>{symbol}</b>  <b>{price}</b> {quote}"),
    "raw.change": Phrase("24 h: <b>{change}</b>", "24 jam: <b>{change}</b>"),
    "raw.range": Phrase("high {high} · low {low}", "tertinggi {high} · terendah {low}"),
    "raw.volume": Phrase("volume {volume} {base}", "volume {volume} {base}"),
    "raw.bid_ask": Phrase("bid {bid} · ask {ask} · spread {spread}", "bid {bid} · ask {ask} · selisih {spread}"),
    "raw.at_exchange": Phrase("on {exchange}", "di {exchange}"),
    "raw.exchanges": Phrase("🏦 <b>Exchanges</b>", "🏦 <b>Bursa</b>"),
    "raw.exchange": Phrase(
        "{mark} {exchange} {symbol}: <b>{price}</b> ({change}) · {quality} {age}",
        "{mark} {exchange} {symbol}: <b>{price}</b> ({change}) · {quality} {age}",
    ),
    "raw.funding": Phrase("💸 <b>Funding</b>", "💸 <b>Pendanaan (funding)</b>"),
    "raw.funding_row": Phrase(
        "{exchange} {symbol}: <b>{rate}</b> · next {next} · mark {mark} · {age}",
        "{exchange} {symbol}: <b>{rate}</b> · berikutnya {next} · mark {mark} · {age}",
    ),
    "raw.interest": Phrase("📦 <b>Open interest</b>", "📦 <b>Open interest</b>"),
    "raw.interest_row": Phrase(
        "{exchange} {symbol}: <b>{amount}</b> {base} · value {value} · {age}",
        "{exchange} {symbol}: <b>{amount}</b> {base} · nilai {value} · {age}",
    ),
    "raw.whales": Phrase("🐋 <b>Whale trades</b>", "🐋 <b>Transaksi paus</b>"),
    "raw.liquidations": Phrase("💥 <b>Liquidations</b>", "💥 <b>Likuidasi</b>"),
    "book.head": Phrase(
        "📖 <b>{symbol}</b> on <b>{exchange}</b> ({market})", "📖 <b>{symbol}</b> di <b>{exchange}</b> ({market})"
    ),
    "book.price": Phrase("price", "harga"),
    "book.amount": Phrase("amount", "jumlah"),
    "book.total": Phrase("total", "total"),
    "book.asks": Phrase("🔴 <b>Asks</b>", "🔴 <b>Penawaran jual</b>"),
    "book.bids": Phrase("🟢 <b>Bids</b>", "🟢 <b>Penawaran beli</b>"),
    "book.none": Phrase("none", "tidak ada"),
    "book.figures": Phrase("spread {spread} · imbalance {imbalance}", "selisih {spread} · ketimpangan {imbalance}"),
    "book.unit_base": Phrase("amounts in {base}", "jumlah dalam {base}"),
    "book.unit_contracts": Phrase("amounts in contracts", "jumlah dalam kontrak"),
    "whale.head": Phrase("🐋 <b>Whale trades of {symbol}</b>", "🐋 <b>Transaksi paus {symbol}</b>"),
    "whale.none": Phrase("No whale trades recently.", "Belum ada transaksi paus baru-baru ini."),
    "whale.row": Phrase(
        "{side} <b>{usd}</b> · {amount} {base} at {price} · {exchange} · {time}{sim}",
        "{side} <b>{usd}</b> · {amount} {base} pada {price} · {exchange} · {time}{sim}",
    ),
    "liq.head": Phrase("💥 <b>Liquidations of {base}</b>", "💥 <b>Likuidasi {base}</b>"),
    "liq.total": Phrase(
        "{window}: <b>{total}</b> · long {long} · short {short} · {count} orders",
        "{window}: <b>{total}</b> · long {long} · short {short} · {count} order",
    ),
    "liq.unknown": Phrase("unknown side {usd}", "sisi tidak diketahui {usd}"),
    "liq.unvalued": Phrase("{count} without a value", "{count} tanpa nilai"),
    "liq.sampled": Phrase(
        "⚠️ Some exchanges publish only a sample: sums are lower bounds.",
        "⚠️ Sebagian bursa hanya menerbitkan sampel: jumlahnya batas bawah.",
    ),
    "liq.received": Phrase("⚠️ Not all of it was received: {windows}", "⚠️ Tidak semuanya diterima: {windows}"),
    "liq.no_totals": Phrase("No totals yet.", "Belum ada total."),
    "liq.none": Phrase("No liquidations recently.", "Belum ada likuidasi baru-baru ini."),
    "liq.row": Phrase(
        "{side} <b>{usd}</b> · {amount} at {price} · {exchange} {symbol} · {time}{sim}",
        "{side} <b>{usd}</b> · {amount} pada {price} · {exchange} {symbol} · {time}{sim}",
    ),
    "liq.as_of": Phrase("totals as of {time}", "total per {time}"),
    "sentiment.head": Phrase(
        "{mark} <b>{sentiment}</b> · confidence {share}", "{mark} <b>{sentiment}</b> · keyakinan {share}"
    ),
    "sentiment.Bullish": Phrase("Bullish", "Optimis (bullish)"),
    "sentiment.Bearish": Phrase("Bearish", "Pesimis (bearish)"),
    "sentiment.Neutral": Phrase("Neutral", "Netral"),
    "sentiment.words": Phrase("Words that decided:", "Kata yang menentukan:"),
    "sentiment.word": Phrase("{mark} {word} ({weight})", "{mark} {word} ({weight})"),
    "sentiment.none": Phrase("Nothing in it speaks for a side.", "Tidak ada yang memihak satu sisi."),
    "sentiment.language": Phrase("language: {language}", "bahasa: {language}"),
    "sentiment.en": Phrase("English", "Inggris"),
    "sentiment.id": Phrase("Indonesian", "Indonesia"),
    "sentiment.unknown": Phrase("unknown", "tidak dikenal"),
    "spread.head": Phrase(
        "↔️ <b>Spread of {symbol}</b> ({quote}, {market})", "↔️ <b>Selisih harga {symbol}</b> ({quote}, {market})"
    ),
    "spread.best": Phrase(
        "best bid <b>{bid}</b> on {bid_exchange} · best ask <b>{ask}</b> on {ask_exchange}",
        "bid terbaik <b>{bid}</b> di {bid_exchange} · ask terbaik <b>{ask}</b> di {ask_exchange}",
    ),
    "spread.spread": Phrase("spread over all exchanges: <b>{spread}</b>", "selisih seluruh bursa: <b>{spread}</b>"),
    "spread.crossed": Phrase(
        "⚡ Crossed: one exchange bids more than another asks.",
        "⚡ Bersilangan: satu bursa menawar beli lebih tinggi dari jual di bursa lain.",
    ),
    "spread.exchange": Phrase("exchange", "bursa"),
    "spread.bid": Phrase("bid", "bid"),
    "spread.ask": Phrase("ask", "ask"),
    "spread.left_out": Phrase("* not in the best prices", "* tidak ikut dalam harga terbaik"),
    "status.head": Phrase("🩺 <b>Status</b>", "🩺 <b>Status</b>"),
    "status.ok": Phrase("✅ Everything runs.", "✅ Semua berjalan."),
    "status.waiting": Phrase("⏳ Waiting for: {names}", "⏳ Menunggu: {names}"),
    "status.degraded": Phrase("⚠️ Not as it should be: {names}", "⚠️ Belum semestinya: {names}"),
    "status.core_away": Phrase("❌ The market core does not answer.", "❌ Inti pasar tidak menjawab."),
    "status.bus_away": Phrase("❌ The message bus is not reachable.", "❌ Bus pesan tidak terjangkau."),
    "status.feeds": Phrase("📡 <b>Exchanges</b>: {live} of {all} live", "📡 <b>Bursa</b>: {live} dari {all} langsung"),
    "status.feed": Phrase("{quality} {exchange} · {age}{state}{sim}", "{quality} {exchange} · {age}{state}{sim}"),
    "status.silent": Phrase("nothing received yet", "belum menerima apa pun"),
}
