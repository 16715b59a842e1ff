"""Phrases of managed groups: what was done, what was refused and why. Pure."""

from __future__ import annotations

from typing import Final

from runtime.texts.phrase import Phrase

PHRASES: Final = {
    "groups.did.ban": Phrase("🔨 {who} is banned", "🔨 {who} diblokir"),
    "groups.did.unban": Phrase("🕊 {who} may come back", "🕊 {who} boleh kembali"),
    "groups.did.kick": Phrase("👢 {who} was removed", "👢 {who} dikeluarkan"),
    "groups.did.mute": Phrase("🔇 {who} may not write", "🔇 {who} tidak boleh menulis"),
    "groups.did.unmute": Phrase("🔊 {who} may write again", "🔊 {who} boleh menulis lagi"),
    "groups.did.restrict": Phrase("🚧 {who} is restricted", "🚧 {who} dibatasi"),
    "groups.did.unrestrict": Phrase("🔓 {who} is not restricted any more", "🔓 {who} tidak dibatasi lagi"),
    "groups.did.warn": Phrase("⚠️ {who} is warned", "⚠️ {who} diperingatkan"),
    "groups.did.unwarn": Phrase("🧽 A warning of {who} is taken back", "🧽 Satu peringatan {who} dicabut"),
    "groups.did.delete": Phrase("🗑 Messages of {who} are deleted", "🗑 Pesan {who} dihapus"),
    "groups.did.promote": Phrase("⭐ {who} is an administrator", "⭐ {who} menjadi admin"),
    "groups.did.demote": Phrase("⬇️ {who} is an administrator no more", "⬇️ {who} bukan admin lagi"),
    "groups.did.pin": Phrase("📌 A message of {who} is pinned", "📌 Pesan {who} disematkan"),
    "groups.did.unpin": Phrase("📌 A message of {who} is unpinned", "📌 Sematan pesan {who} dilepas"),
    "groups.did.approve": Phrase("✅ {who} is approved", "✅ {who} disetujui"),
    "groups.did.unapprove": Phrase("↩️ {who} is approved no more", "↩️ {who} tidak disetujui lagi"),
    "groups.did.report": Phrase("🚩 {who} was reported", "🚩 {who} dilaporkan"),
    "groups.did.captcha": Phrase("🧩 {who} has to solve a captcha", "🧩 {who} harus menyelesaikan captcha"),
    "groups.did.raid": Phrase("🛡 Raid mode, begun by {who}", "🛡 Mode serbuan, dimulai {who}"),
    "groups.lasting": Phrase("for {span}", "selama {span}"),
    "groups.because": Phrase("because of: {reason}", "karena: {reason}"),
    "groups.by": Phrase("(by {moderator})", "(oleh {moderator})"),
    "groups.logged_undo": Phrase(
        "↩️ {count} actions are taken back (by {moderator})", "↩️ {count} tindakan dicabut (oleh {moderator})"
    ),
    "groups.refused.right": Phrase(
        "✋ Telegram refused it: I need the right <b>{right}</b>. An administrator gives it in the group's settings.",
        "✋ Ditolak Telegram: saya perlu hak <b>{right}</b>. Admin memberikannya di pengaturan grup.",
    ),
    "groups.refused.admin": Phrase(
        "✋ That is an administrator of the group: Telegram lets me do nothing to them.",
        "✋ Itu admin grup: Telegram tidak mengizinkan saya berbuat apa pun padanya.",
    ),
    "groups.refused.unknown": Phrase(
        "✋ Telegram does not find them in this group.", "✋ Telegram tidak menemukannya di grup ini."
    ),
    "groups.refused.supergroup": Phrase(
        "✋ Telegram does that in supergroups only. A group becomes one when its history is made visible.",
        "✋ Telegram hanya melakukannya di supergrup. Grup menjadi supergrup bila riwayatnya dibuat terlihat.",
    ),
    "groups.refused.outside": Phrase("✋ I am not in that group any more.", "✋ Saya tidak ada lagi di grup itu."),
    "groups.refused.myself": Phrase("✋ Not to myself.", "✋ Tidak pada diri saya sendiri."),
    "groups.refused.promoter": Phrase(
        "✋ Only who may add administrators takes them back.", "✋ Hanya yang boleh menambah admin dapat mencabutnya."
    ),
    "groups.refused.silent": Phrase(
        "⌛ Telegram did not do it in time, so it is dropped. Please try again.",
        "⌛ Telegram tidak melakukannya tepat waktu, jadi dibatalkan. Silakan coba lagi.",
    ),
    "groups.refused.other": Phrase("✋ Telegram refused it: {reason}", "✋ Ditolak Telegram: {reason}"),
    "groups.right.can_restrict_members": Phrase("Ban users", "Blokir pengguna"),
    "groups.right.can_delete_messages": Phrase("Delete messages", "Hapus pesan"),
    "groups.right.can_pin_messages": Phrase("Pin messages", "Sematkan pesan"),
    "groups.right.can_promote_members": Phrase("Add new admins", "Tambahkan admin baru"),
    "groups.right.can_invite_users": Phrase("Invite users via link", "Undang pengguna via tautan"),
    "groups.right.can_change_info": Phrase("Change group info", "Ubah info grup"),
    "groups.right.can_manage_topics": Phrase("Manage topics", "Kelola topik"),
}
