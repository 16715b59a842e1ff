"""Phrases of how a group is run: settings, locks, slow mode, rules, figures, and what the doctor finds. Pure."""

from __future__ import annotations

from typing import Final

from runtime.texts.phrase import Phrase

PHRASES: Final = {
    "groups.settings.head": Phrase("⚙️ <b>Settings of this group</b>", "⚙️ <b>Pengaturan grup ini</b>"),
    "groups.settings.language": Phrase("🌐 Language: {language}", "🌐 Bahasa: {language}"),
    "groups.settings.welcome": Phrase("👋 Welcome: {text}", "👋 Sambutan: {text}"),
    "groups.settings.goodbye": Phrase("🚪 Goodbye: {text}", "🚪 Perpisahan: {text}"),
    "groups.settings.log": Phrase("📜 Log channel: {chat}, topic {topic}", "📜 Kanal log: {chat}, topik {topic}"),
    "groups.settings.autodelete": Phrase(
        "🧹 Commands are deleted after: {span}", "🧹 Perintah dihapus setelah: {span}"
    ),
    "groups.settings.flood": Phrase(
        "{state} Flood: more than {messages} messages in {seconds} s",
        "{state} Banjir: lebih dari {messages} pesan dalam {seconds} d",
    ),
    "groups.settings.captcha": Phrase(
        "{state} Captcha: {kind}, within {seconds} s", "{state} Captcha: {kind}, dalam {seconds} d"
    ),
    "groups.settings.raid": Phrase(
        "{state} Raids: {joins} joins in {seconds} s", "{state} Serbuan: {joins} bergabung dalam {seconds} d"
    ),
    "groups.settings.record": Phrase(
        "{state} Messages are recorded for dry runs", "{state} Pesan direkam untuk uji aturan"
    ),
    "groups.settings_usage": Phrase(
        "<code>/settings language id</code>, <code>welcome TEXT</code>, <code>goodbye TEXT</code>, "
        "<code>log here</code>, <code>log -100…</code>, <code>autodelete 5m</code>; <code>off</code> ends each.",
        "<code>/settings language id</code>, <code>welcome TEKS</code>, <code>goodbye TEKS</code>, "
        "<code>log here</code>, <code>log -100…</code>, <code>autodelete 5m</code>; <code>off</code> menghentikannya.",
    ),
    "groups.settings_wrong": Phrase("✋ {why}", "✋ Tidak bisa: {why}"),
    "groups.log_not_yours": Phrase("🔒 You are no administrator of that chat.", "🔒 Anda bukan admin obrolan itu."),
    "groups.locks": Phrase("🔒 Members may not send: {kinds}", "🔒 Anggota tidak boleh mengirim: {kinds}"),
    "groups.no_locks": Phrase("🔓 Nothing is locked.", "🔓 Tidak ada yang dikunci."),
    "groups.lock_usage": Phrase(
        "🔒 <code>/lock sticker video</code> or <code>/lock all</code>: {kinds}",
        "🔒 <code>/lock sticker video</code> atau <code>/lock all</code>: {kinds}",
    ),
    "groups.slow": Phrase(
        "🐢 Each member may write once in {span}.", "🐢 Tiap anggota boleh menulis sekali dalam {span}."
    ),
    "groups.not_slow": Phrase("🐇 There is no slow mode.", "🐇 Tidak ada mode lambat."),
    "groups.slow_own": Phrase("Telegram's own slow mode: {span}", "Mode lambat Telegram sendiri: {span}"),
    "groups.slow_usage": Phrase(
        "🐢 <code>/slowmode 30s</code>, at most 1h; <code>/slowmode off</code>",
        "🐢 <code>/slowmode 30s</code>, paling lama 1h; <code>/slowmode off</code>",
    ),
    "groups.rules": Phrase("📋 <b>Rules of this group</b>", "📋 <b>Aturan grup ini</b>"),
    "groups.no_rules": Phrase("📋 There are no rules here.", "📋 Belum ada aturan di sini."),
    "groups.rule": Phrase("• {name}: {penalty}", "• {name}: {penalty}"),
    "groups.rule_row": Phrase(
        "{at}. {mark} {name}: {penalty} · {hits} in 30 days", "{at}. {mark} {name}: {penalty} · {hits} dalam 30 hari"
    ),
    "groups.stats.head": Phrase("📊 <b>{name}</b>, 30 days", "📊 <b>{name}</b>, 30 hari"),
    "groups.stats.members": Phrase("Members: {counts} · messages {messages}", "Anggota: {counts} · pesan {messages}"),
    "groups.stats.active": Phrase("Active: {counts}", "Aktif: {counts}"),
    "groups.stats.actions": Phrase("Actions: {count} ({counts})", "Tindakan: {count} ({counts})"),
    "groups.stats.made": Phrase("Roles: {roles} · rules: {rules}", "Peran: {roles} · aturan: {rules}"),
    "groups.stats.user": Phrase("👤 {who}: {status} · roles {roles}", "👤 {who}: {status} · peran {roles}"),
    "groups.stats.wrote": Phrase("Messages: {messages} · last {seen}", "Pesan: {messages} · terakhir {seen}"),
    "groups.no_figures": Phrase("📭 Nothing is known of {who} here.", "📭 Belum ada catatan tentang {who} di sini."),
    "groups.doctor.head": Phrase(
        "🩺 <b>What keeps me from working here</b>", "🩺 <b>Yang menghalangi saya di sini</b>"
    ),
    "groups.doctor.healthy": Phrase(
        "🩺 All is well: I have every right that I need here.", "🩺 Semua baik: saya punya semua hak yang diperlukan."
    ),
    "groups.doctor.no_admin": Phrase(
        "❌ I am no administrator. Fix: group settings, Administrators, Add admin.",
        "❌ Saya bukan admin. Perbaikan: pengaturan grup, Admin, Tambah admin.",
    ),
    "groups.doctor.right": Phrase(
        "❌ The right <b>{right}</b> is missing: {use}. Fix: group settings, Administrators, this bot, {right}.",
        "❌ Hak <b>{right}</b> belum ada: {use}. Perbaikan: pengaturan grup, Admin, bot ini, {right}.",
    ),
    "groups.use.can_restrict_members": Phrase(
        "without it I cannot mute, ban or remove anybody", "tanpanya saya tidak bisa membisukan atau memblokir"
    ),
    "groups.use.can_delete_messages": Phrase(
        "without it I cannot delete what breaks a rule", "tanpanya saya tidak bisa menghapus pelanggaran"
    ),
    "groups.use.can_pin_messages": Phrase("without it /pin does nothing", "tanpanya /pin tidak berfungsi"),
    "groups.use.can_invite_users": Phrase(
        "without it I cannot answer requests to join", "tanpanya saya tidak bisa menjawab permintaan bergabung"
    ),
    "groups.use.can_promote_members": Phrase(
        "without it /promote and /demote do nothing", "tanpanya /promote dan /demote tidak berfungsi"
    ),
    "groups.doctor.privacy": Phrase(
        "❌ Privacy mode hides messages from me. Fix: make me an administrator, or send @BotFather "
        "<code>/setprivacy</code>, choose @{bot} and Disable, then add me again.",
        "❌ Mode privasi menyembunyikan pesan dari saya. Perbaikan: jadikan saya admin, atau kirim ke @BotFather "
        "<code>/setprivacy</code>, pilih @{bot} dan Disable, lalu tambahkan saya lagi.",
    ),
    "groups.doctor.no_supergroup": Phrase(
        "❌ This is no supergroup: Telegram mutes nobody. Fix: group settings, Chat history for new members, Visible.",
        "❌ Ini bukan supergrup: Telegram tidak membisukan. Perbaikan: pengaturan grup, Riwayat obrolan, Terlihat.",
    ),
    "groups.doctor.log_gone": Phrase(
        "❌ The log channel {chat} is deleted, or I am not in it. Fix: add me there, or "
        "<code>/settings log -100…</code> with another one, or <code>/settings log off</code>.",
        "❌ Kanal log {chat} sudah dihapus, atau saya tidak ada di sana. Perbaikan: tambahkan saya, atau "
        "<code>/settings log -100…</code> dengan yang lain, atau <code>/settings log off</code>.",
    ),
    "groups.doctor.log_silent": Phrase(
        "❌ I may not write in the log channel {chat}. Fix: make me an administrator there who may post messages.",
        "❌ Saya tidak boleh menulis di kanal log {chat}. Perbaikan: jadikan saya admin di sana yang boleh mengirim.",
    ),
    "groups.doctor.paused": Phrase(
        "⏳ Telegram wants nothing from me for {seconds} s. It passes by itself.",
        "⏳ Telegram menolak permintaan selama {seconds} detik. Nanti pulih sendiri.",
    ),
}
