"""Phrases of orders. Pure."""

from __future__ import annotations

from typing import Final

from runtime.texts.phrase import Phrase

PHRASES: Final = {
    "trade.private": Phrase(
        "🔒 Trading is for our private chat: write to me there.",
        "🔒 Perdagangan hanya di obrolan pribadi: tulis ke saya di sana.",
    ),
    "trade.account": Phrase("🏦 Which account?", "🏦 Akun yang mana?"),
    "trade.symbol": Phrase(
        "🛒 <b>{account}</b> on {exchange}. What do you want to trade? Choose, or send "
        "<code>/trade buy 0.01 BTC/USDT at 60000</code>.",
        "🛒 <b>{account}</b> di {exchange}. Apa yang ingin diperdagangkan? Pilih, atau kirim "
        "<code>/trade beli 0.01 BTC/USDT di 60000</code>.",
    ),
    "trade.book": Phrase(
        "📖 <b>{symbol}</b> on {exchange}\nBid <b>{bid}</b> · ask <b>{ask}</b>\n"
        "{account}: {free_base}, {free_quote} free",
        "📖 <b>{symbol}</b> di {exchange}\nBid <b>{bid}</b> · ask <b>{ask}</b>\n"
        "{account}: {free_base}, {free_quote} bebas",
    ),
    "trade.amount": Phrase(
        "{what} <b>{symbol}</b>: how much?\nFree: {free} {currency}",
        "{what} <b>{symbol}</b>: berapa?\nBebas: {free} {currency}",
    ),
    "trade.type_price": Phrase("✍️ Send the price in {currency}.", "✍️ Kirim harganya dalam {currency}."),
    "trade.type_amount": Phrase("✍️ Send the amount in {currency}.", "✍️ Kirim jumlahnya dalam {currency}."),
    "trade.discarded": Phrase("✖️ Nothing was placed.", "✖️ Tidak ada yang dipasang."),
    "trade.gone": Phrase("⌛ That is out of date: begin again.", "⌛ Itu sudah usang: mulai lagi."),
    "trade.too_long": Phrase(
        "✋ These figures are too long for a button: use fewer digits.",
        "✋ Angka ini terlalu panjang untuk tombol: gunakan lebih sedikit digit.",
    ),
    "preview.head": Phrase(
        "🧾 <b>{what} {symbol}</b> · {account}\nNothing is placed yet.",
        "🧾 <b>{what} {symbol}</b> · {account}\nBelum dipasang.",
    ),
    "preview.amount": Phrase("Amount: <b>{amount}</b> {base}", "Jumlah: <b>{amount}</b> {base}"),
    "preview.price": Phrase("Price: <b>{price}</b> {quote}", "Harga: <b>{price}</b> {quote}"),
    "preview.fee": Phrase("Fee: {fee} {currency}", "Biaya: {fee} {currency}"),
    "preview.pays": Phrase("You pay: <b>{total}</b> {quote}", "Anda bayar: <b>{total}</b> {quote}"),
    "preview.gets": Phrase("You get: <b>{total}</b> {quote}", "Anda terima: <b>{total}</b> {quote}"),
    "preview.thin": Phrase(
        "⚠️ The book shows too little for all of it.", "⚠️ Buku order menunjukkan terlalu sedikit untuk semuanya."
    ),
    "preview.paper": Phrase("📝 On paper: no real money is in it.", "📝 Simulasi: tanpa uang sungguhan."),
    "order.kind_bm": Phrase("🟢 Buy at the market", "🟢 Beli di harga pasar"),
    "order.kind_bl": Phrase("🟢 Buy with a limit", "🟢 Beli dengan limit"),
    "order.kind_sm": Phrase("🔴 Sell at the market", "🔴 Jual di harga pasar"),
    "order.kind_sl": Phrase("🔴 Sell with a limit", "🔴 Jual dengan limit"),
    "order.placed_pending": Phrase(
        "⏳ <b>Sent</b>: the venue has not confirmed it yet.", "⏳ <b>Terkirim</b>: bursa belum mengonfirmasi."
    ),
    "order.placed_open": Phrase("✅ <b>The order is open.</b>", "✅ <b>Order terbuka.</b>"),
    "order.placed_filled": Phrase("✅ <b>The order is filled.</b>", "✅ <b>Order terisi.</b>"),
    "order.placed_cancelled": Phrase("✖️ <b>The order is cancelled.</b>", "✖️ <b>Order dibatalkan.</b>"),
    "order.placed_rejected": Phrase("✋ <b>The order was refused.</b>", "✋ <b>Order ditolak.</b>"),
    "order.cancelling": Phrase(
        "⏳ <b>It is being cancelled</b>: the venue has not confirmed it yet.",
        "⏳ <b>Sedang dibatalkan</b>: bursa belum mengonfirmasi.",
    ),
    "order.state_pending": Phrase("⏳", "⏳"),
    "order.state_open": Phrase("🔵", "🔵"),
    "order.state_filled": Phrase("✅", "✅"),
    "order.state_cancelled": Phrase("✖️", "✖️"),
    "order.state_rejected": Phrase("✋", "✋"),
    "order.line": Phrase(
        "{state} {what}: <b>{amount}</b> {symbol}{price}", "{state} {what}: <b>{amount}</b> {symbol}{price}"
    ),
    "order.at": Phrase(" at {price} {quote}", " pada {price} {quote}"),
    "order.filled": Phrase(
        "Filled: {filled} {base} at {average} {quote}", "Terisi: {filled} {base} pada {average} {quote}"
    ),
    "order.fee": Phrase("Fee: {fee} {currency}", "Biaya: {fee} {currency}"),
    "order.reason": Phrase("Why: {reason}", "Alasan: {reason}"),
    "order.id": Phrase("<code>{id}</code> · {account} · {time}", "<code>{id}</code> · {account} · {time}"),
    "orders.open": Phrase(
        "📋 <b>Open orders</b> ({count}) · {page}/{pages}", "📋 <b>Order terbuka</b> ({count}) · {page}/{pages}"
    ),
    "orders.all": Phrase(
        "📋 <b>All orders</b> ({count}) · {page}/{pages}", "📋 <b>Semua order</b> ({count}) · {page}/{pages}"
    ),
    "orders.none_open": Phrase(
        "📋 You have no open orders. /trade makes one.", "📋 Tidak ada order terbuka. /trade membuat satu."
    ),
    "orders.none": Phrase(
        "📋 You have had no orders yet. /trade makes one.", "📋 Belum ada order. /trade membuat satu."
    ),
    "button.bm": Phrase("🟢 Buy · market", "🟢 Beli · pasar"),
    "button.sm": Phrase("🔴 Sell · market", "🔴 Jual · pasar"),
    "button.bl": Phrase("🟢 Buy · limit", "🟢 Beli · limit"),
    "button.sl": Phrase("🔴 Sell · limit", "🔴 Jual · limit"),
    "button.type_in": Phrase("✍️ Another figure", "✍️ Angka lain"),
    "button.place": Phrase("✅ Place the order", "✅ Pasang order"),
    "button.cancel_order": Phrase("✖️ Cancel the order", "✖️ Batalkan order"),
    "button.trade": Phrase("🛒 Trade", "🛒 Beli atau jual"),
    "button.orders": Phrase("📋 Orders", "📋 Order"),
    "button.all_orders": Phrase("🗂 All orders", "🗂 Semua order"),
    "button.open_orders": Phrase("🔵 Open orders", "🔵 Order terbuka"),
}
