"""Phrases of what happens in groups by itself. Pure."""

from __future__ import annotations

from typing import Final

from runtime.texts.phrase import Phrase

PHRASES: Final = {
    "automatic.because": Phrase("for {why}.", "karena {why}."),
    "automatic.rule.flood": Phrase("too many messages", "terlalu banyak pesan"),
    "automatic.rule.links": Phrase("a link that is not allowed here", "tautan yang tidak diizinkan di sini"),
    "automatic.rule.words": Phrase("a word that is not allowed here", "kata yang tidak diizinkan di sini"),
    "automatic.rule.media": Phrase("media that is locked here", "media yang dikunci di sini"),
    "automatic.rule.custom": Phrase("the rule “{rule}”", "aturan “{rule}”"),
    "automatic.rule.captcha": Phrase("an unanswered question", "pertanyaan yang tidak dijawab"),
    "automatic.rule.raid": Phrase("joining in a raid", "bergabung dalam serbuan"),
    "automatic.ask.button": Phrase(
        "👋 {who}, and everybody who has just joined: press the button within {span} to be able to write.",
        "👋 {who}, dan semua yang baru bergabung: tekan tombol dalam {span} agar dapat menulis.",
    ),
    "automatic.ask.sum": Phrase(
        "👋 {who}, and everybody who has just joined: see your sum and press its result within {span} to be able to"
        " write.",
        "👋 {who}, dan semua yang baru bergabung: lihat soal Anda dan tekan hasilnya dalam {span} agar dapat menulis.",
    ),
    "automatic.request.button": Phrase(
        "👋 You want to join <b>{group}</b>. Press the button within {span}.",
        "👋 Anda ingin bergabung ke <b>{group}</b>. Tekan tombol dalam {span}.",
    ),
    "automatic.request.sum": Phrase(
        "👋 You want to join <b>{group}</b>. See your sum and press its result within {span}.",
        "👋 Anda ingin bergabung ke <b>{group}</b>. Lihat soal Anda dan tekan hasilnya dalam {span}.",
    ),
    "automatic.button.person": Phrase("✅ I am a person", "✅ Saya manusia"),
    "automatic.button.sum": Phrase("❓ My sum", "❓ Soal saya"),
    "automatic.button.approve": Phrase("✅ Show it again", "✅ Tampilkan lagi"),
    "automatic.button.delete": Phrase("🗑 Keep it deleted", "🗑 Biarkan terhapus"),
    "automatic.note.sum": Phrase("{first} + {second} = ?", "{first} + {second} = ?"),
    "automatic.note.wrong": Phrase(
        "That is not it. Now: {first} + {second} = ?", "Belum benar. Sekarang: {first} + {second} = ?"
    ),
    "automatic.note.failed": Phrase("That was wrong three times.", "Tiga kali salah."),
    "automatic.note.right": Phrase("✅ Welcome!", "✅ Selamat datang!"),
    "automatic.note.not_asked": Phrase(
        "This question is for those who have just joined.", "Pertanyaan ini untuk yang baru bergabung."
    ),
    "automatic.note.not_moderator": Phrase("Only moderators decide that.", "Hanya moderator yang memutuskan."),
    "automatic.note.decided": Phrase("It is decided already.", "Sudah diputuskan."),
    "automatic.request.passed": Phrase("✅ Welcome to <b>{group}</b>!", "✅ Selamat datang di <b>{group}</b>!"),
    "automatic.request.failed": Phrase(
        "⌛ Your request for <b>{group}</b> was declined. You may ask again.",
        "⌛ Permintaan Anda untuk <b>{group}</b> ditolak. Anda boleh meminta lagi.",
    ),
    "automatic.raid.began": Phrase(
        "🛡 <b>Raid mode.</b> Many joined at once: who is new cannot write for now. It ends by itself at {end}.",
        "🛡 <b>Mode serbuan.</b> Banyak yang bergabung sekaligus: anggota baru belum dapat menulis. Berakhir sendiri"
        " pukul {end}.",
    ),
    "automatic.raid.button": Phrase(
        "Are you new here? Press the button and you are in.", "Anda baru di sini? Tekan tombol dan Anda masuk."
    ),
    "automatic.raid.sum": Phrase(
        "Are you new here? See your sum and press its result, and you are in.",
        "Anda baru di sini? Lihat soal Anda dan tekan hasilnya, lalu Anda masuk.",
    ),
    "automatic.raid.ended": Phrase("🛡 Raid mode is over.", "🛡 Mode serbuan berakhir."),
    "automatic.raid.on": Phrase(
        "🛡 Raid mode is on until {end}. /raid off ends it.",
        "🛡 Mode serbuan aktif sampai {end}. /raid off mengakhirinya.",
    ),
    "automatic.raid.off": Phrase(
        "🛡 Raid mode is off. /raid 15m begins it.", "🛡 Mode serbuan mati. /raid 15m memulainya."
    ),
    "automatic.raid.usage": Phrase(
        "Write /raid, /raid 15m or /raid off. It lasts from 1 minute to 1 day.",
        "Tulis /raid, /raid 15m atau /raid off. Lamanya 1 menit sampai 1 hari.",
    ),
    "automatic.report.usage": Phrase(
        "Answer the message that you report with /report.", "Balas pesan yang Anda laporkan dengan /report."
    ),
    "automatic.report.thanks": Phrase(
        "🚩 Thank you. The moderators are notified.", "🚩 Terima kasih, moderator diberi tahu."
    ),
    "automatic.report.admin": Phrase(
        "That message is an administrator's or my own.", "Pesan itu milik admin atau saya sendiri."
    ),
    "automatic.report.hidden": Phrase(
        "🚩 A message of {who} was reported by {count} members and is hidden until a moderator looks.",
        "🚩 Pesan {who} dilaporkan {count} anggota dan disembunyikan sampai moderator melihatnya.",
    ),
    "automatic.report.text": Phrase("<blockquote>{text}</blockquote>", "<blockquote>{text}</blockquote>"),
    "automatic.report.photo": Phrase("🖼 with a picture", "🖼 dengan gambar"),
    "automatic.report.approved": Phrase(
        "✅ {moderator} has the message of {who} shown again.", "✅ {moderator} menampilkan lagi pesan {who}."
    ),
    "automatic.report.deleted": Phrase(
        "🗑 {moderator} keeps the message of {who} deleted.", "🗑 {moderator} membiarkan pesan {who} terhapus."
    ),
    "automatic.report.again": Phrase("💬 {who} wrote:", "💬 {who} menulis:"),
}
