"""Phrases for what was refused or failed, by the error's code. Pure."""

from __future__ import annotations

from typing import Final

from runtime.texts.phrase import Phrase

PHRASES: Final = {
    "error.INVALID_PARAMETER": Phrase("✋ {message}", "✋ Masukan tidak benar: {message}"),
    "error.INVALID_SYMBOL": Phrase(
        "🔎 I do not know the symbol <b>{symbol}</b>.", "🔎 Simbol <b>{symbol}</b> tidak dikenal."
    ),
    "error.AMBIGUOUS_SYMBOL": Phrase(
        "🔎 <b>{symbol}</b> can mean several things: which one?",
        "🔎 <b>{symbol}</b> bisa berarti beberapa hal: yang mana?",
    ),
    "error.SYMBOL_SYNTAX": Phrase(
        "🔎 <b>{symbol}</b> is not how a symbol is written. Try <code>BTC</code> or <code>BTC/USDT</code>.",
        "🔎 <b>{symbol}</b> bukan penulisan simbol. Coba <code>BTC</code> atau <code>BTC/USDT</code>.",
    ),
    "error.UNKNOWN_VENUE": Phrase("🏦 {message}.", "🏦 Bursa itu tidak didukung: {message}."),
    "error.NO_DATA": Phrase(
        "📭 <b>{symbol}</b> is listed, but nothing was received of it yet.",
        "📭 <b>{symbol}</b> terdaftar, tetapi belum ada data yang diterima.",
    ),
    "error.NOT_READY": Phrase(
        "⏳ Not ready: {waiting} does not answer yet. Please try again in a moment.",
        "⏳ Belum siap: {waiting} belum menjawab. Silakan coba lagi sebentar lagi.",
    ),
    "error.BUS": Phrase(
        "🔌 The data bus is not reachable right now, so I have no answer. I keep trying: please ask again in a minute.",
        "🔌 Bus data sedang tidak terjangkau, jadi belum ada jawaban. Saya terus mencoba: silakan tanya lagi nanti.",
    ),
    "error.TIMEOUT": Phrase("⌛ That took too long. Please try again.", "⌛ Terlalu lama. Silakan coba lagi."),
    "error.BUSY": Phrase("🚦 Too much at once. Please try again.", "🚦 Terlalu banyak sekaligus. Silakan coba lagi."),
    "error.VENUE_ERROR": Phrase(
        "🏦 The exchange refused or failed: {message}", "🏦 Bursa menolak atau gagal: {message}"
    ),
    "error.VENUE_TIMEOUT": Phrase("🏦 The exchange did not answer in time.", "🏦 Bursa tidak menjawab tepat waktu."),
    "error.NOT_SUPPORTED": Phrase("🚫 Not supported: {message}", "🚫 Tidak didukung: {message}"),
    "error.NOT_FOUND": Phrase("📭 Not found: {message}", "📭 Tidak ditemukan: {message}"),
    "error.CONFLICT": Phrase("✋ {message}", "✋ Bertentangan: {message}"),
    "error.ALREADY_EXISTS": Phrase("✋ It is there already: {message}", "✋ Sudah ada: {message}"),
    "error.LIMIT_REACHED": Phrase("✋ There can be no more: {message}", "✋ Sudah mencapai batas: {message}"),
    "error.GONE": Phrase("📭 No longer there: {message}", "📭 Sudah tidak ada: {message}"),
    "error.DISABLED": Phrase("🔒 Switched off here: {message}", "🔒 Dimatikan di sini: {message}"),
    "error.BAD_FRAME": Phrase(
        "🏦 The exchange sent something unreadable.", "🏦 Bursa mengirim sesuatu yang tak terbaca."
    ),
    "error.INTERNAL_ERROR": Phrase(
        "💔 Something went wrong here. It is in the log.", "💔 Ada yang salah di sini. Sudah tercatat di log."
    ),
    "error.candidates": Phrase("Did you mean: {names}", "Maksud Anda: {names}"),
    "error.usage": Phrase(
        "✋ Usage: <code>{usage}</code>\nFor example: <code>{example}</code>",
        "✋ Cara pakai: <code>{usage}</code>\nContoh: <code>{example}</code>",
    ),
    "error.not_allowed": Phrase(
        "🔒 This bot is private. Your id is <code>{user_id}</code>: its operator can add it to TELEGRAM_ALLOWED_IDS.",
        "🔒 Bot ini privat. ID Anda <code>{user_id}</code>: operatornya dapat menambahkannya ke TELEGRAM_ALLOWED_IDS.",
    ),
    "error.not_admin": Phrase(
        "🔒 Only administrators of this group may do that.", "🔒 Hanya administrator grup ini yang boleh melakukannya."
    ),
    "error.unknown_command": Phrase(
        "🤔 I do not know this command. /help lists them all.",
        "🤔 Perintah ini tidak dikenal. /help menampilkan semuanya.",
    ),
    "note.stale_button": Phrase(
        "This button is out of date. Send /start for a new menu.",
        "Tombol ini sudah usang. Kirim /start untuk menu baru.",
    ),
    "note.not_allowed": Phrase("This bot is private.", "Bot ini privat."),
    "note.not_admin": Phrase("Only administrators of this group.", "Hanya administrator grup ini."),
    "note.unchanged": Phrase("Nothing has changed since.", "Belum ada perubahan."),
}
