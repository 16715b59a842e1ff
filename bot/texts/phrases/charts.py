"""Phrases of charts and their captions. Pure."""

from __future__ import annotations

from typing import Final

from runtime.texts.phrase import Phrase

PHRASES: Final = {
    "chart.head": Phrase(
        "🕯 <b>{symbol}</b> · {timeframe} · {exchange}", "🕯 <b>{symbol}</b> · {timeframe} · {exchange}"
    ),
    "chart.last": Phrase(
        "open {open} · high {high} · low {low} · close <b>{close}</b> {quote}",
        "buka {open} · tertinggi {high} · terendah {low} · tutup <b>{close}</b> {quote}",
    ),
    "chart.span": Phrase("{count} candles, {start} to {end}", "{count} lilin, {start} sampai {end}"),
    "chart.open": Phrase("the last one is still open", "yang terakhir belum ditutup"),
    "chart.holes": Phrase("⚠️ {count} candles are missing", "⚠️ {count} lilin tidak ada"),
    "chart.lacking": Phrase(
        "⚠️ {count} of {all} candles may lack trades", "⚠️ {count} dari {all} lilin mungkin kurang transaksi"
    ),
    "chart.incomplete": Phrase("⚠️ not every candle is whole", "⚠️ tidak semua lilin utuh"),
    "chart.price": Phrase("Price ({quote})", "Harga ({quote})"),
    "chart.volume": Phrase("Volume", "Volume"),
    "chart.depth_head": Phrase(
        "🌊 <b>{symbol}</b> · depth · {exchange}", "🌊 <b>{symbol}</b> · kedalaman · {exchange}"
    ),
    "chart.depth_bids": Phrase("bids", "beli"),
    "chart.depth_asks": Phrase("asks", "jual"),
    "chart.cumulative": Phrase("Amount up to the price", "Jumlah sampai harga"),
    "liqmap.head": Phrase("🗺 <b>Liquidation map of {base}</b> · {window}", "🗺 <b>Peta likuidasi {base}</b> · {window}"),
    "liqmap.title": Phrase("Liquidations of {base} · {window}", "Likuidasi {base} · {window}"),
    "liqmap.longs": Phrase("◀ Longs", "◀ Long"),
    "liqmap.shorts": Phrase("Shorts ▶", "Short ▶"),
    "liqmap.sideless": Phrase("side not published", "sisi tidak diterbitkan"),
    "liqmap.step": Phrase("each bar: {step} USD of price", "tiap batang: rentang harga {step} USD"),
    "liqmap.none": Phrase("No liquidations in this time.", "Tidak ada likuidasi dalam waktu ini."),
    "liqmap.held_from": Phrase(
        "⚠️ only since {time}: older ones are no longer kept", "⚠️ hanya sejak {time}: yang lebih lama tidak disimpan"
    ),
    "liqmap.coverage": Phrase("📡 received: {names}", "📡 diterima: {names}"),
    "liqmap.unknown": Phrase("unknown", "tidak diketahui"),
    "liqmap.sample": Phrase("a sample", "sampel"),
    "chart.simulated": Phrase("SIMULATED", "SIMULASI"),
    "chart.stale": Phrase("STALE", "USANG"),
    "chart.gap": Phrase("WITH GAPS", "ADA CELAH"),
}
