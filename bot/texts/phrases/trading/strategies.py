"""Phrases of strategies and backtests. Pure."""

from __future__ import annotations

from typing import Final

from runtime.texts.phrase import Phrase

PHRASES: Final = {
    "strategy.head": Phrase("🤖 <b>Your strategies</b> ({count})", "🤖 <b>Strategi Anda</b> ({count})"),
    "strategy.none": Phrase(
        "🤖 You have no strategies. Make one here, or send\n"
        "<code>/strategy grid BTC/USDT lower=60000 upper=70000 levels=11 amount=0.01</code>",
        "🤖 Belum ada strategi. Buat di sini, atau kirim\n"
        "<code>/strategy grid BTC/USDT lower=60000 upper=70000 levels=11 amount=0.01</code>",
    ),
    "strategy.row": Phrase("{state} <b>{kind}</b> {symbol} · {account}", "{state} <b>{kind}</b> {symbol} · {account}"),
    "strategy.param": Phrase("   {name}: {value}", "   {name}: {value}"),
    "strategy.profit": Phrase(
        "Realised {realized} · unrealised {unrealized} · fees {fees} {currency}",
        "Terealisasi {realized} · belum {unrealized} · biaya {fees} {currency}",
    ),
    "strategy.grid": Phrase(
        "From the grid {grid} · from the trend {trend} {currency}", "Dari grid {grid} · dari tren {trend} {currency}"
    ),
    "strategy.open_orders": Phrase("Open orders: {count}", "Order terbuka: {count}"),
    "strategy.reason": Phrase("Why: {reason}", "Alasan: {reason}"),
    "strategy.made": Phrase("<code>{id}</code> · since {time}", "<code>{id}</code> · sejak {time}"),
    "strategy.state_running": Phrase("▶️", "▶️"),
    "strategy.state_paused": Phrase("⏸", "⏸"),
    "strategy.state_stopped": Phrase("⏹", "⏹"),
    "strategy.state_done": Phrase("🏁", "🏁"),
    "strategy.kind": Phrase("🤖 What kind of strategy?", "🤖 Jenis strategi apa?"),
    "strategy.symbol": Phrase(
        "🤖 Which coin? For another pair send the strategy in one line.",
        "🤖 Koin apa? Untuk pasangan lain kirim strategi dalam satu baris.",
    ),
    "strategy.asked": Phrase("✍️ <b>{kind}</b> {symbol}: {question}", "✍️ <b>{kind}</b> {symbol}: {question}"),
    "strategy.skip": Phrase("Send - to leave it out.", "Kirim - untuk melewati."),
    "strategy.wrong": Phrase("✋ That is no figure that I can read.", "✋ Angka itu tidak terbaca."),
    "strategy.confirm": Phrase(
        "🤖 Start <b>{kind}</b> on <b>{symbol}</b> with {account} ({exchange})?",
        "🤖 Mulai <b>{kind}</b> di <b>{symbol}</b> dengan {account} ({exchange})?",
    ),
    "param.amount": Phrase("amount of each order, in the coin?", "jumlah tiap order, dalam koin?"),
    "param.interval_seconds": Phrase(
        "how often is bought? For example 1h or 1d", "seberapa sering dibeli? Contoh 1h atau 1d"
    ),
    "param.take_profit_percent": Phrase(
        "at how many percent of profit is all sold?", "pada berapa persen laba semuanya dijual?"
    ),
    "param.stop_percent": Phrase(
        "at how many percent of loss is all sold?", "pada berapa persen rugi semuanya dijual?"
    ),
    "param.lower": Phrase("the lowest price?", "harga terendah?"),
    "param.upper": Phrase("the highest price?", "harga tertinggi?"),
    "param.levels": Phrase("how many levels?", "berapa tingkat?"),
    "param.take_profit": Phrase(
        "steps of profit? Percent and share: 5:50,10:50", "langkah laba? Persen dan bagian: 5:50,10:50"
    ),
    "button.kind_dca": Phrase("💧 DCA: buy again and again", "💧 DCA: beli berulang"),
    "button.kind_grid": Phrase(
        "🪜 Grid: buy low, sell a level above", "🪜 Grid: beli di bawah, jual setingkat di atas"
    ),
    "button.kind_tpsl": Phrase("🎯 Take profit and stop", "🎯 Ambil laba dan batasi rugi"),
    "button.new_strategy": Phrase("🆕 New strategy", "🆕 Strategi baru"),
    "button.start_strategy": Phrase("▶️ Start it", "▶️ Mulai"),
    "button.strategy_pause": Phrase("⏸ Pause", "⏸ Jeda"),
    "button.strategy_resume": Phrase("▶️ Resume", "▶️ Lanjut"),
    "button.strategy_stop": Phrase("⏹ Stop for good", "⏹ Hentikan selamanya"),
    "button.backtest": Phrase("🧪 Try it over the last day", "🧪 Uji pada hari terakhir"),
    "button.anyway": Phrase("🧪 Try it all the same", "🧪 Uji saja"),
    "backtest.queued": Phrase(
        "🧪 <b>It waits for its turn.</b> I send you the result.", "🧪 <b>Menunggu giliran.</b> Hasilnya saya kirim."
    ),
    "backtest.running": Phrase(
        "🧪 <b>It runs.</b> I send you the result.", "🧪 <b>Sedang berjalan.</b> Hasilnya saya kirim."
    ),
    "backtest.refused": Phrase("✋ <b>Too little was recorded.</b>", "✋ <b>Terlalu sedikit yang terekam.</b>"),
    "backtest.failed": Phrase("💔 <b>It failed.</b>", "💔 <b>Gagal.</b>"),
    "backtest.what": Phrase(
        "🧪 <b>{kind}</b> {symbol}, {begin} to {end}", "🧪 <b>{kind}</b> {symbol}, {begin} sampai {end}"
    ),
    "backtest.pnl": Phrase("Result: <b>{pnl}</b> {currency}", "Hasil: <b>{pnl}</b> {currency}"),
    "backtest.trades": Phrase("Trades: {trades} · fees: {fees}", "Transaksi: {trades} · biaya: {fees}"),
    "backtest.risk": Phrase(
        "Drawdown {drawdown}% · exposure {exposure}%", "Penurunan {drawdown}% · eksposur {exposure}%"
    ),
    "backtest.coverage": Phrase("Recorded: {coverage}% of the span", "Terekam: {coverage}% dari rentang"),
    "backtest.head": Phrase("🧪 <b>Your backtests</b> ({count})", "🧪 <b>Uji balik Anda</b> ({count})"),
    "backtest.none": Phrase(
        "🧪 You have tried nothing yet. Send <code>/backtest dca BTC/USDT amount=0.01 interval_seconds=1h 1d</code>",
        "🧪 Belum ada uji balik. Kirim <code>/backtest dca BTC/USDT amount=0.01 interval_seconds=1h 1d</code>",
    ),
}
