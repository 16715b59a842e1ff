"""Phrases of the group commands: what they need, answer and ask. Pure."""

from __future__ import annotations

from typing import Final

from runtime.texts.phrase import Phrase

PHRASES: Final = {
    "help.group_commands": Phrase(
        "👥 <b>In groups</b>\n/ban /unban /kick /mute /unmute /warn /unwarn /warns /promote /demote /role /pin /unpin "
        "/purge /rules /settings /lock /unlock /slowmode /approve /unapprove /undo /stats /doctor",
        "👥 <b>Di grup</b>\n/ban /unban /kick /mute /unmute /warn /unwarn /warns /promote /demote /role /pin /unpin "
        "/purge /rules /settings /lock /unlock /slowmode /approve /unapprove /undo /stats /doctor",
    ),
    "command.rules": Phrase("Rules that hold here", "Aturan yang berlaku di sini"),
    "command.warns": Phrase("Warnings of yours, or of somebody", "Peringatan Anda, atau seseorang"),
    "command.report": Phrase(
        "Report the message that you answer to the moderators", "Laporkan pesan yang Anda balas ke moderator"
    ),
    "command.warn": Phrase("Warn somebody: /warn @name why", "Peringatkan seseorang: /warn @nama alasan"),
    "command.unwarn": Phrase("Take the newest warning back", "Cabut peringatan terbaru"),
    "command.mute": Phrase(
        "Let somebody write no more: /mute @name 2h why", "Larang seseorang menulis: /mute @nama 2h alasan"
    ),
    "command.unmute": Phrase("Let somebody write again", "Izinkan seseorang menulis lagi"),
    "command.kick": Phrase("Remove somebody, who may come back", "Keluarkan seseorang, boleh kembali"),
    "command.ban": Phrase("Keep somebody out: /ban @name 2h why", "Blokir seseorang: /ban @nama 2h alasan"),
    "command.unban": Phrase("Let somebody come back", "Izinkan seseorang kembali"),
    "command.swarn": Phrase("Warn without a word in the group", "Peringatkan tanpa pesan di grup"),
    "command.smute": Phrase("Mute without a word in the group", "Bisukan tanpa pesan di grup"),
    "command.skick": Phrase("Remove without a word in the group", "Keluarkan tanpa pesan di grup"),
    "command.sban": Phrase("Ban without a word in the group", "Blokir tanpa pesan di grup"),
    "command.approve": Phrase(
        "Exempt somebody from rules, or let them in", "Bebaskan seseorang dari aturan, atau izinkan masuk"
    ),
    "command.unapprove": Phrase("End an exemption", "Akhiri pembebasan"),
    "command.promote": Phrase("Make somebody an administrator", "Jadikan seseorang admin"),
    "command.demote": Phrase("Make somebody an administrator no more", "Cabut status admin seseorang"),
    "command.role": Phrase("Roles: show, make, give and take them", "Peran: tampilkan, buat, beri dan cabut"),
    "command.pin": Phrase("Pin the message that you answer", "Sematkan pesan yang Anda balas"),
    "command.unpin": Phrase(
        "Unpin the message that you answer, or the newest", "Lepas sematan pesan yang Anda balas, atau yang terbaru"
    ),
    "command.purge": Phrase(
        "Delete everything from the message that you answer", "Hapus semua mulai dari pesan yang Anda balas"
    ),
    "command.lock": Phrase("Forbid kinds of media: /lock sticker", "Larang jenis media: /lock sticker"),
    "command.unlock": Phrase("Allow kinds of media again", "Izinkan jenis media lagi"),
    "command.slowmode": Phrase(
        "One message in so many seconds: /slowmode 30s", "Satu pesan tiap sekian detik: /slowmode 30s"
    ),
    "command.raid": Phrase("Raid mode: /raid 15m, /raid off", "Mode serbuan: /raid 15m, /raid off"),
    "command.undo": Phrase(
        "Take actions back: by id, or by rule and time", "Cabut tindakan: menurut id, atau aturan dan waktu"
    ),
    "command.settings": Phrase("Settings of this group", "Pengaturan grup ini"),
    "command.stats": Phrase("Figures of this group, or of somebody", "Angka grup ini, atau seseorang"),
    "command.doctor": Phrase("What keeps me from working here", "Apa yang menghalangi saya bekerja di sini"),
    "groups.only_in_groups": Phrase(
        "👥 That works in groups only. Add me to one, and make me an administrator.",
        "👥 Itu hanya untuk grup. Tambahkan saya ke grup dan jadikan saya admin.",
    ),
    "groups.no_owner": Phrase(
        "✋ I cannot tell who owns this group. Make me an administrator, or add me again.",
        "✋ Pemilik grup ini tidak diketahui. Jadikan saya admin, atau tambahkan saya lagi.",
    ),
    "groups.may_not": Phrase("🔒 You may not do that here. It needs: {what}", "🔒 Anda tidak boleh. Perlu: {what}"),
    "groups.anonymous": Phrase(
        "Anonymous administrators may do what each of them may. Write as yourself to use your own rights.",
        "Admin anonim hanya boleh melakukan yang boleh dilakukan semuanya. Tulis sebagai diri sendiri agar dikenali.",
    ),
    "groups.need.delete_messages": Phrase("delete messages", "menghapus pesan"),
    "groups.need.restrict_members": Phrase("restrict members", "membatasi anggota"),
    "groups.need.ban_members": Phrase("ban members", "memblokir anggota"),
    "groups.need.pin_messages": Phrase("pin messages", "menyematkan pesan"),
    "groups.need.manage_roles": Phrase("manage roles", "mengelola peran"),
    "groups.need.manage_rules": Phrase("manage rules", "mengelola aturan"),
    "groups.need.manage_settings": Phrase("manage settings", "mengelola pengaturan"),
    "groups.need.manage_topics": Phrase("manage topics", "mengelola topik"),
    "groups.need.view_actions": Phrase("see the log of actions", "melihat log tindakan"),
    "groups.need.undo_actions": Phrase("undo actions", "mencabut tindakan"),
    "groups.need.approve_members": Phrase("approve members", "menyetujui anggota"),
    "groups.need.can_promote_members": Phrase(
        "Telegram's right to add administrators", "hak Telegram untuk menambah admin"
    ),
    "groups.whom": Phrase(
        "👤 Whom? Answer a message of theirs, or name them: <code>@name</code> or an id.",
        "👤 Siapa? Balas pesannya, atau sebutkan: <code>@nama</code> atau id.",
    ),
    "groups.unknown_name": Phrase(
        "👤 I have not seen {name} yet. Answer a message of theirs, or use an id.",
        "👤 Saya belum pernah melihat {name}. Balas pesannya, atau pakai id.",
    ),
    "groups.yourself": Phrase("✋ Not to yourself.", "✋ Tidak pada diri Anda sendiri."),
    "groups.same_rank": Phrase(
        "✋ Their role ranks as high as yours, or higher.", "✋ Perannya setinggi peran Anda, atau lebih tinggi."
    ),
    "groups.no_channel": Phrase("✋ That is a channel, not a person.", "✋ Itu kanal, bukan orang."),
    "groups.span_wrong": Phrase(
        "⏱ Telegram can do that for 30 seconds up to 366 days: <code>2h</code>, <code>1d12h</code>.",
        "⏱ Telegram bisa untuk 30 detik sampai 366 hari: <code>2h</code>, <code>1d12h</code>.",
    ),
    "groups.no_span": Phrase("⏱ That does not last, so it has no time.", "⏱ Itu tidak berlangsung, jadi tanpa waktu."),
    "groups.not_logged": Phrase(
        "⚠️ It is done, but could not be written into the log.", "⚠️ Sudah dilakukan, tetapi gagal dicatat di log."
    ),
    "groups.reply": Phrase(
        "↩️ Answer the message that you mean with <code>/{command}</code>.",
        "↩️ Balas pesan yang dimaksud dengan <code>/{command}</code>.",
    ),
    "groups.purged": Phrase("🗑 {count} messages are deleted", "🗑 {count} pesan dihapus"),
    "groups.purge_too_many": Phrase(
        "✋ At most {most} messages at once: answer a newer one.",
        "✋ Paling banyak {most} pesan sekaligus: balas yang lebih baru.",
    ),
    "groups.warns": Phrase("⚠️ Warnings: {count}", "⚠️ Peringatan: {count}"),
    "groups.no_warns": Phrase("✅ {who} has no warnings.", "✅ {who} tidak punya peringatan."),
    "groups.warnings": Phrase("⚠️ Warnings of {who}: {count}", "⚠️ Peringatan {who}: {count}"),
    "groups.warning": Phrase("{at} · {reason} · <code>{id}</code>", "{at} · {reason} · <code>{id}</code>"),
    "groups.button.undo": Phrase("↩️ Undo", "↩️ Cabut"),
    "groups.button.flood": Phrase("🌊 Flood", "🌊 Banjir pesan"),
    "groups.button.captcha": Phrase("🧩 Captcha", "🧩 Uji captcha"),
    "groups.button.raid": Phrase("🛡 Raids", "🛡 Serbuan"),
    "groups.button.record": Phrase("📼 Recording", "📼 Perekaman"),
    "groups.button.language": Phrase("🌐 Language", "🌐 Bahasa"),
    "groups.undo_begun": Phrase(
        "⏳ Taking back {count}, within Telegram's limits. I say here what came of it.",
        "⏳ Mencabut {count}, dalam batas Telegram. Hasilnya saya sampaikan di sini.",
    ),
    "groups.undone": Phrase("↩️ Taken back: {count}", "↩️ Dicabut: {count}"),
    "groups.undone_by": Phrase("↩️ Taken back by {who}", "↩️ Dicabut oleh {who}"),
    "groups.not_undone": Phrase("Not taken back: {count}. {why}", "Tidak dicabut: {count}. {why}"),
    "groups.undo.already_undone": Phrase("Taken back before: {count}", "Sudah dicabut sebelumnya: {count}"),
    "groups.undo.not_possible": Phrase("Cannot be taken back: {count}", "Tidak bisa dicabut: {count}"),
    "groups.undo.another_holds": Phrase(
        "Held by another action still: {count}", "Masih ditahan tindakan lain: {count}"
    ),
    "groups.undo.expired": Phrase("Had ended by themselves: {count}", "Sudah berakhir sendiri: {count}"),
    "groups.undo.not_found": Phrase("Not found: {count}", "Tidak ditemukan: {count}"),
    "groups.undo_more": Phrase("There are more: send it again.", "Masih ada lagi: kirim sekali lagi."),
    "groups.undo_usage": Phrase(
        "↩️ Which? <code>/undo ID</code>, or by rule and time: <code>/undo mutes rule 7 since 10:00</code>, "
        "<code>/undo since 2h</code>",
        "↩️ Yang mana? <code>/undo ID</code>, atau aturan dan waktu: <code>/undo mutes rule 7 since 10:00</code>, "
        "<code>/undo since 2h</code>",
    ),
    "groups.no_rule": Phrase("🔎 There is no rule {name}. See /rules", "🔎 Tidak ada aturan {name}. Lihat /rules"),
    "groups.actions": Phrase("📜 <b>The newest actions</b>", "📜 <b>Tindakan terbaru</b>"),
    "groups.action_row": Phrase(
        "{at} · {kind} · {who} · <code>{id}</code>", "{at} · {kind} · {who} · <code>{id}</code>"
    ),
    "groups.kind.warn": Phrase("warning", "peringatan"),
    "groups.kind.mute": Phrase("mute", "bisukan"),
    "groups.kind.ban": Phrase("ban", "blokir"),
    "groups.kind.kick": Phrase("removal", "pengeluaran"),
    "groups.kind.delete": Phrase("deletion", "penghapusan"),
    "groups.kind.restrict": Phrase("restriction", "pembatasan"),
    "groups.kind.promote": Phrase("promotion", "pengangkatan"),
    "groups.kind.pin": Phrase("pin", "sematan"),
    "groups.kind.approve": Phrase("approval", "persetujuan"),
    "groups.roles": Phrase("🎖 <b>Roles</b>", "🎖 <b>Peran</b>"),
    "groups.no_roles": Phrase(
        "🎖 There are no roles. Make one: <code>/role new moderator restrict_members delete_messages 10</code>",
        "🎖 Belum ada peran. Buat satu: <code>/role new moderator restrict_members delete_messages 10</code>",
    ),
    "groups.role_row": Phrase(
        "<b>{name}</b> ({priority}) · {members} members · {permissions}",
        "<b>{name}</b> ({priority}) · {members} anggota · {permissions}",
    ),
    "groups.role_usage": Phrase(
        "🎖 <code>/role give NAME @who</code>, <code>/role take NAME @who</code>, "
        "<code>/role new NAME PERMISSIONS PRIORITY</code>, <code>/role delete NAME</code>",
        "🎖 <code>/role give NAMA @siapa</code>, <code>/role take NAMA @siapa</code>, "
        "<code>/role new NAMA IZIN PRIORITAS</code>, <code>/role delete NAMA</code>",
    ),
    "groups.role_permissions": Phrase("🎖 Permissions are: {names}", "🎖 Izin yang ada: {names}"),
    "groups.role_beyond": Phrase(
        "✋ You may not give what you have not: {names}", "✋ Anda tidak boleh memberi yang tidak Anda punya: {names}"
    ),
    "groups.no_role": Phrase("🔎 There is no role {name}.", "🔎 Tidak ada peran {name}."),
    "groups.role_made": Phrase("🎖 The role {name} is made.", "🎖 Peran {name} dibuat."),
    "groups.role_deleted": Phrase("🗑 The role {name} is deleted.", "🗑 Peran {name} dihapus."),
    "groups.role_given": Phrase("🎖 {who} has the role {name}.", "🎖 {who} mendapat peran {name}."),
    "groups.role_taken": Phrase("🎖 {who} has the role {name} no more.", "🎖 {who} tidak lagi punya peran {name}."),
}
