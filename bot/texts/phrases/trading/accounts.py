"""Phrases of accounts, links, portfolios and the switch. Pure."""

from __future__ import annotations

from typing import Final

from runtime.texts.phrase import Phrase

PHRASES: Final = {
    "account.head": Phrase("🏦 <b>Your accounts</b>", "🏦 <b>Akun Anda</b>"),
    "account.paper": Phrase(
        "📝 <b>{name}</b>: paper, on the book of {exchange}", "📝 <b>{name}</b>: simulasi, di buku {exchange}"
    ),
    "account.live": Phrase("🔑 <b>{name}</b>: {exchange}", "🔑 <b>{name}</b>: akun {exchange}"),
    "account.free": Phrase("   {free} {currency}", "   {free} {currency}"),
    "account.held": Phrase("   {free} {currency}, {held} held by orders", "   {free} {currency}, {held} ditahan order"),
    "account.hint": Phrase(
        "Paper needs no account anywhere. /link adds one at an exchange.",
        "Simulasi tidak perlu akun di bursa. /link menambahkan akun bursa.",
    ),
    "link.private": Phrase(
        "🔒 Never write a key in a group. If you have, delete it at the exchange now; link in our private chat.",
        "🔒 Jangan pernah menulis kunci di grup. Jika sudah, hapus di bursa sekarang; tautkan di obrolan pribadi.",
    ),
    "link.venue": Phrase(
        "🔑 Which exchange? Or send <code>/link indodax</code>. Make a key that can trade and <b>not</b> withdraw.",
        "🔑 Bursa yang mana? Atau kirim <code>/link indodax</code>. Buat kunci untuk trading, <b>bukan</b> menarik.",
    ),
    "link.key": Phrase(
        "🔑 Send the <b>key</b> of {venue}. I delete your message at once.",
        "🔑 Kirim <b>kunci</b> (key) {venue}. Pesan Anda langsung saya hapus.",
    ),
    "link.secret": Phrase(
        "🔑 Now the <b>secret</b> of {venue}. I delete your message at once.",
        "🔑 Sekarang <b>rahasia</b> (secret) {venue}. Pesan Anda langsung saya hapus.",
    ),
    "link.done": Phrase(
        "✅ <b>{name}</b> at {venue} is linked. The key is kept encrypted.",
        "✅ <b>{name}</b> di {venue} tertaut. Kuncinya disimpan terenkripsi.",
    ),
    "link.renewed": Phrase("✅ <b>{name}</b> is linked again.", "✅ <b>{name}</b> tertaut kembali."),
    "link.again": Phrase(
        "⌛ That is out of date: begin again with /link.", "⌛ Itu sudah usang: mulai lagi dengan /link."
    ),
    "link.not_deleted": Phrase(
        "⚠️ I could not delete your message yet: delete it yourself now.",
        "⚠️ Pesan Anda belum bisa saya hapus: hapus sendiri sekarang.",
    ),
    "unlink.which": Phrase("🔓 Which account?", "🔓 Akun yang mana?"),
    "unlink.none": Phrase("🔓 You have no accounts.", "🔓 Anda tidak punya akun."),
    "unlink.ask": Phrase(
        "🔓 Unlink <b>{name}</b> ({venue})? Its encrypted key is destroyed, unless you want to keep it.",
        "🔓 Putuskan <b>{name}</b> ({venue})? Kunci terenkripsinya dihancurkan, kecuali ingin disimpan.",
    ),
    "unlink.paper": Phrase("🗑 Delete the paper account <b>{name}</b>?", "🗑 Hapus akun simulasi <b>{name}</b>?"),
    "unlink.deleted": Phrase("🗑 The account {name} is deleted.", "🗑 Akun {name} dihapus."),
    "unlink.destroyed": Phrase(
        "🔓 {name} is unlinked, and its key is destroyed.", "🔓 {name} diputuskan, dan kuncinya dihancurkan."
    ),
    "unlink.kept": Phrase(
        "🔓 {name} is unlinked; its key is kept encrypted. /link takes it up again.",
        "🔓 {name} diputuskan; kuncinya tetap terenkripsi. /link memakainya kembali.",
    ),
    "portfolio.head": Phrase("💼 <b>{value}</b> {currency}", "💼 <b>{value}</b> {currency}"),
    "portfolio.earned": Phrase(
        "Realised {realised} · unrealised {unrealised} {currency}",
        "Terealisasi {realised} · belum {unrealised} {currency}",
    ),
    "portfolio.row": Phrase(
        "{account}: <b>{amount}</b> {asset} = {value}", "{account}: <b>{amount}</b> {asset} = {value}"
    ),
    "portfolio.profit": Phrase(
        "{account}: <b>{amount}</b> {asset} = {value} ({unrealised})",
        "{account}: <b>{amount}</b> {asset} = {value} ({unrealised})",
    ),
    "portfolio.unvalued": Phrase("{account}: <b>{amount}</b> {asset}", "{account}: <b>{amount}</b> {asset}"),
    "portfolio.strategies": Phrase("🤖 <b>By strategy</b>", "🤖 <b>Per strategi</b>"),
    "portfolio.strategy": Phrase(
        "<code>{id}</code> {symbol}: realised {realised}, unrealised {unrealised}",
        "<code>{id}</code> {symbol}: terealisasi {realised}, belum {unrealised}",
    ),
    "portfolio.unpriced": Phrase("Without a live price: {names}", "Tanpa harga langsung: {names}"),
    "portfolio.pending": Phrase("⏳ Profits are not whole yet.", "⏳ Laba belum lengkap."),
    "kill.done": Phrase(
        "🛑 <b>Trading is stopped.</b> Cancelled and confirmed: {count}",
        "🛑 <b>Perdagangan dihentikan.</b> Dibatalkan dan dikonfirmasi: {count}",
    ),
    "kill.order": Phrase("· {id}", "· {id}"),
    "kill.waiting": Phrase(
        "⏳ Not confirmed yet: {count}. I go on asking the venue.",
        "⏳ Belum dikonfirmasi: {count}. Bursa terus ditanya.",
    ),
    "kill.how": Phrase("No new orders are taken until you /resume.", "Tidak ada order baru sampai Anda /resume."),
    "kill.halted": Phrase("🛑 Trading is stopped: /resume", "🛑 Perdagangan dihentikan: /resume"),
    "kill.resumed": Phrase("▶️ Trading goes on.", "▶️ Perdagangan berlanjut."),
    "button.kill": Phrase("🛑 Stop all trading", "🛑 Hentikan semua"),
    "button.kill_again": Phrase("🔄 Ask again", "🔄 Tanya lagi"),
    "button.resume": Phrase("▶️ Resume trading", "▶️ Lanjutkan"),
    "button.destroy": Phrase("🗑 Unlink and destroy the key", "🗑 Putuskan dan hancurkan kunci"),
    "button.keep_key": Phrase("🔓 Unlink, keep the key", "🔓 Putuskan, simpan kunci"),
    "button.portfolio_now": Phrase("💼 What I have", "💼 Milik saya"),
    "button.strategies_now": Phrase("🤖 My strategies", "🤖 Strategi saya"),
    "note.not_yours": Phrase("These buttons belong to somebody else.", "Tombol ini milik orang lain."),
    "error.UNAUTHORIZED": Phrase(
        "🔑 {message}. /link takes it up again.", "🔑 Tautan berakhir: {message}. /link memakainya kembali."
    ),
}
