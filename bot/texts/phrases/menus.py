"""Phrases of menus, help, language and zone, and the labels of buttons. Pure."""

from __future__ import annotations

from typing import Final

from runtime.texts.phrase import Phrase

PHRASES: Final = {
    "menu.start": Phrase(
        "🌊 <b>Hydrophone</b>\nHi {name}! Live prices, order books, whales and liquidations of many exchanges.\n"
        "Send a command such as <code>/price BTC</code>, or choose:",
        "🌊 <b>Hydrophone</b>\nHai {name}! Harga langsung, buku order, paus dan likuidasi dari banyak bursa.\n"
        "Kirim perintah seperti <code>/price BTC</code>, atau pilih:",
    ),
    "menu.market": Phrase(
        "📈 <b>Market</b>\nChoose a coin, or send a command with any symbol.",
        "📈 <b>Pasar</b>\nPilih koin, atau kirim perintah dengan simbol apa pun.",
    ),
    "menu.symbol": Phrase(
        "📈 <b>{symbol}</b>\nWhat do you want to see?", "📈 <b>{symbol}</b>\nApa yang ingin dilihat?"
    ),
    "menu.alerts": Phrase(
        "🔔 <b>Alerts</b>\nMessages to this chat about whales, liquidations and storms, and price alerts of your own.",
        "🔔 <b>Peringatan</b>\nPesan ke obrolan ini tentang paus, likuidasi dan badai, serta peringatan harga Anda.",
    ),
    "menu.settings": Phrase(
        "⚙️ <b>Settings</b>\nLanguage: {language}\nTime zone: {zone}",
        "⚙️ <b>Pengaturan</b>\nBahasa: {language}\nZona waktu: {zone}",
    ),
    "button.market": Phrase("📈 Market", "📈 Pasar"),
    "button.portfolio": Phrase("💼 Portfolio", "💼 Portofolio"),
    "button.trading": Phrase("🛒 Trading", "🛒 Perdagangan"),
    "button.strategies": Phrase("🤖 Strategies", "🤖 Strategi"),
    "button.alerts": Phrase("🔔 Alerts", "🔔 Peringatan"),
    "button.settings": Phrase("⚙️ Settings", "⚙️ Pengaturan"),
    "button.status": Phrase("🩺 Status", "🩺 Status"),
    "button.help": Phrase("❓ Help", "❓ Bantuan"),
    "button.back": Phrase("⬅️ Back", "⬅️ Kembali"),
    "button.refresh": Phrase("🔄 Refresh", "🔄 Segarkan"),
    "button.price": Phrase("💰 Price", "💰 Harga"),
    "button.raw": Phrase("📊 Snapshot", "📊 Ringkasan"),
    "button.book": Phrase("📖 Order book", "📖 Buku order"),
    "button.whale": Phrase("🐋 Whales", "🐋 Paus"),
    "button.liq": Phrase("💥 Liquidations", "💥 Likuidasi"),
    "button.spread": Phrase("↔️ Spread", "↔️ Selisih"),
    "button.chart": Phrase("🕯 Chart", "🕯 Grafik"),
    "button.depth": Phrase("🌊 Depth", "🌊 Kedalaman"),
    "button.subscribe": Phrase("🔔 Subscribe", "🔔 Berlangganan"),
    "button.unsubscribe": Phrase("🔕 Unsubscribe", "🔕 Berhenti"),
    "button.price_alerts": Phrase("🎯 Price alerts", "🎯 Peringatan harga"),
    "button.alerts_status": Phrase("📋 What this chat gets", "📋 Yang diterima obrolan ini"),
    "button.whales_on": Phrase("🐋 Whales on", "🐋 Paus aktif"),
    "button.whales_off": Phrase("🐋 Whales off", "🐋 Paus mati"),
    "button.snooze": Phrase("😴 1 h", "😴 1 jam"),
    "button.delete": Phrase("🗑 Delete", "🗑 Hapus"),
    "button.confirm": Phrase("✅ Create", "✅ Buat"),
    "button.cancel": Phrase("✖️ Cancel", "✖️ Batal"),
    "button.above": Phrase("⬆️ Above", "⬆️ Di atas"),
    "button.below": Phrase("⬇️ Below", "⬇️ Di bawah"),
    "language.ask": Phrase("🌐 Choose your language:", "🌐 Pilih bahasa Anda:"),
    "language.set": Phrase(
        "🌐 I speak English with you from now on.", "🌐 Mulai sekarang saya berbahasa Indonesia dengan Anda."
    ),
    "zone.ask": Phrase(
        "🕒 Times are shown in <b>{zone}</b>. Choose a time zone, or send <code>/timezone Asia/Jakarta</code>:",
        "🕒 Waktu ditampilkan dalam <b>{zone}</b>. Pilih zona waktu, atau kirim <code>/timezone Asia/Jakarta</code>:",
    ),
    "zone.set": Phrase(
        "🕒 Times are shown in <b>{zone}</b>: it is {time} there.",
        "🕒 Waktu ditampilkan dalam <b>{zone}</b>: di sana pukul {time}.",
    ),
    "zone.unknown": Phrase(
        "✋ There is no time zone <b>{zone}</b>. A name looks like <code>Asia/Jakarta</code> or <code>UTC</code>.",
        "✋ Zona waktu <b>{zone}</b> tidak ada. Penulisannya seperti <code>Asia/Jakarta</code> atau <code>UTC</code>.",
    ),
    "help.head": Phrase("❓ <b>Commands</b>", "❓ <b>Perintah</b>"),
    "help.market": Phrase("📈 <b>Market</b>", "📈 <b>Pasar</b>"),
    "help.alerts": Phrase("🔔 <b>Alerts</b>", "🔔 <b>Peringatan</b>"),
    "help.trading": Phrase("🛒 <b>Trading</b>", "🛒 <b>Perdagangan</b>"),
    "help.general": Phrase("⚙️ <b>General</b>", "⚙️ <b>Umum</b>"),
    "help.row": Phrase("/{command}{arguments}: {what}", "/{command}{arguments}: {what}"),
    "help.symbols": Phrase(
        "A symbol is a coin (<code>BTC</code>), a pair (<code>BTC/USDT</code>, <code>btcusdt</code>) or an exchange's "
        "own name of a contract. In any chat: <code>@{username} BTC</code>.",
        "Simbol adalah koin (<code>BTC</code>), pasangan (<code>BTC/USDT</code>, <code>btcusdt</code>) atau nama "
        "kontrak di bursa. Di obrolan mana pun: <code>@{username} BTC</code>.",
    ),
    "help.link": Phrase("More: {url}", "Selengkapnya: {url}"),
    "command.start": Phrase("menu", "menu"),
    "command.help": Phrase("all commands", "semua perintah"),
    "command.status": Phrase("how the feeds are", "keadaan sumber data"),
    "command.language": Phrase("English or Indonesian", "Inggris atau Indonesia"),
    "command.timezone": Phrase("the zone that times are shown in", "zona waktu yang ditampilkan"),
    "command.price": Phrase("price of a symbol", "harga sebuah simbol"),
    "command.raw": Phrase("everything known of a symbol", "semua yang diketahui tentang simbol"),
    "command.raw_orderbook": Phrase("order book of one exchange", "buku order satu bursa"),
    "command.whale": Phrase("recent whale trades", "transaksi paus terbaru"),
    "command.liq": Phrase("recent liquidations and totals", "likuidasi terbaru dan totalnya"),
    "command.sentiment": Phrase("how a text sounds about the market", "nada sebuah teks tentang pasar"),
    "command.chart": Phrase("candles with volume, as a picture", "grafik lilin dengan volume"),
    "command.spread": Phrase("best bids and asks over exchanges", "bid dan ask terbaik antar bursa"),
    "command.subscribe": Phrase("alerts to this chat", "peringatan ke obrolan ini"),
    "command.unsubscribe": Phrase("no more alerts to this chat", "hentikan peringatan ke obrolan ini"),
    "command.alerts": Phrase("your price alerts", "peringatan harga Anda"),
    "command.alerts_status": Phrase("what this chat gets", "apa yang diterima obrolan ini"),
    "command.alerts_on_w": Phrase("whale alerts on", "aktifkan peringatan paus"),
    "command.alerts_off_w": Phrase("whale alerts off", "matikan peringatan paus"),
    "command.alert": Phrase("make a price alert", "buat peringatan harga"),
    "command.why": Phrase("why an alert fired, or did not", "mengapa peringatan muncul, atau tidak"),
    "command.snooze": Phrase("silence alerts for a while", "senyapkan peringatan sementara"),
    "command.trade": Phrase("buy or sell, on paper or for real", "beli atau jual, simulasi atau sungguhan"),
    "command.orders": Phrase("your orders, and cancelling them", "order Anda, dan membatalkannya"),
    "command.portfolio": Phrase("what you have and have earned", "milik dan laba Anda"),
    "command.paper": Phrase("your accounts; paper is the default", "akun Anda; simulasi adalah bawaan"),
    "command.strategy": Phrase("strategies: list, new, pause, stop", "strategi: daftar, baru, jeda, henti"),
    "command.backtest": Phrase("try a strategy over the past", "uji strategi pada masa lalu"),
    "command.link": Phrase("link an account at an exchange", "tautkan akun di bursa"),
    "command.unlink": Phrase("end a link", "putuskan tautan"),
    "command.kill": Phrase("stop all trading, cancel everything", "hentikan dan batalkan semua"),
    "command.resume": Phrase("let trading go on", "lanjutkan perdagangan"),
    "argument.trade": Phrase(
        "[buy|sell AMOUNT SYMBOL [at PRICE] [ACCOUNT]]", "[beli|jual JUMLAH SIMBOL [di HARGA] [AKUN]]"
    ),
    "argument.all": Phrase("[all]", "[semua]"),
    "argument.currency": Phrase("[CURRENCY]", "[MATA_UANG]"),
    "argument.strategy": Phrase("[KIND SYMBOL PARAM=VALUE …]", "[JENIS SIMBOL PARAM=NILAI …]"),
    "argument.span": Phrase("[1d]", "[1d]"),
    "argument.venue": Phrase("[EXCHANGE [NAME]]", "[BURSA [NAMA]]"),
    "argument.account": Phrase("[ACCOUNT]", "[AKUN]"),
    "argument.symbol": Phrase("SYMBOL", "SIMBOL"),
    "argument.timeframe": Phrase("TIMEFRAME", "RENTANG"),
    "argument.text": Phrase("TEXT", "TEKS"),
    "argument.zone": Phrase("ZONE", "ZONA"),
    "argument.language": Phrase("en|id", "en|id"),
    "argument.filters": Phrase("[KINDS] [SYMBOLS]", "[JENIS] [SIMBOL]"),
    "argument.id": Phrase("ID", "ID"),
    "argument.snooze": Phrase("ID 2h", "ID 2h"),
    "argument.alert": Phrase("SYMBOL above|below PRICE [repeat]", "SIMBOL above|below HARGA [repeat]"),
    "inline.chart": Phrase("Chart of {symbol}, {timeframe}", "Grafik {symbol}, {timeframe}"),
    "inline.chart_text": Phrase("Opens the chart in this chat", "Membuka grafik di obrolan ini"),
    "inline.failed": Phrase("Nothing found for {symbol}", "Tidak ditemukan: {symbol}"),
}
