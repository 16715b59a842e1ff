"""Phrases of what becomes of an owner's orders. Pure."""

from __future__ import annotations

from typing import Final

from runtime.texts.phrase import Phrase

PHRASES: Final = {
    "order_event.side.buy": Phrase("bought", "dibeli"),
    "order_event.side.sell": Phrase("sold", "dijual"),
    "order_event.filled": Phrase(
        "✅ <b>{symbol}</b>: {side} {amount} at {price}", "✅ <b>{symbol}</b>: {side} {amount} pada {price}"
    ),
    "order_event.fee": Phrase("fee {fee} {currency}", "biaya {fee} {currency}"),
    "order_event.strategy": Phrase("by strategy {strategy}", "oleh strategi {strategy}"),
    "order_event.order": Phrase("order {order} at {venue}", "order {order} di {venue}"),
    "order_event.rejected": Phrase(
        "⛔ <b>{symbol}</b>: your order was not placed", "⛔ <b>{symbol}</b>: order Anda tidak ditempatkan"
    ),
    "order_event.reason": Phrase("Why: {reason}", "Alasan: {reason}"),
    "refusal.at_fault": Phrase("At fault: {names}", "Penyebab: {names}"),
    "refusal.field": Phrase("field {field}", "kolom {field}"),
    "refusal.rule": Phrase("rule {rule}", "aturan {rule}"),
    "refusal.INSUFFICIENT_BALANCE": Phrase("not enough money. {message}", "saldo tidak cukup. {message}"),
    "refusal.INSUFFICIENT_BALANCE.figures": Phrase(
        "not enough money: it needs {needed} {currency}, and {free} {currency} are free.",
        "saldo tidak cukup: perlu {needed} {currency}, yang bebas {free} {currency}.",
    ),
    "refusal.BELOW_MINIMUM": Phrase(
        "it is below the exchange's minimum. {message}", "di bawah batas minimum bursa. {message}"
    ),
    "refusal.ORDER_VALUE_LIMIT.figures": Phrase(
        "it is worth {value} {currency}; this account's limit for one order is {limit} {currency}.",
        "nilainya {value} {currency}; batas akun ini untuk satu order {limit} {currency}.",
    ),
    "refusal.OPEN_ORDERS_LIMIT.figures": Phrase(
        "this account may have {limit} open orders, and has as many.",
        "akun ini boleh memiliki {limit} order terbuka, dan sudah sebanyak itu.",
    ),
    "refusal.DAILY_LOSS_LIMIT.figures": Phrase(
        "{lost} {currency} were lost today; the limit is {limit} {currency}. Only sells are taken until 00:00 UTC.",
        "hari ini rugi {lost} {currency}; batasnya {limit} {currency}. Sampai 00:00 UTC hanya penjualan diterima.",
    ),
    "refusal.SYMBOL_NOT_ALLOWED": Phrase(
        "this account may not trade this symbol.", "akun ini tidak boleh memperdagangkan simbol ini."
    ),
    "refusal.TRADING_STOPPED": Phrase(
        "your trading is stopped. Go on with /resume.", "perdagangan Anda dihentikan. Lanjutkan dengan /resume."
    ),
    "refusal.STOPPED_AFTER_ERRORS.figures": Phrase(
        "orders are stopped after {errors} errors in a row. Go on with /resume.",
        "order dihentikan setelah {errors} kesalahan berturut-turut. Lanjutkan dengan /resume.",
    ),
    "refusal.NOT_CHECKED": Phrase(
        "it could not be checked whether it is allowed. {message}", "izinnya tidak dapat diperiksa. {message}"
    ),
    "refusal.NOT_SENT": Phrase("it was not sent to the exchange. {message}", "tidak terkirim ke bursa. {message}"),
    "refusal.NOT_SENT_IN_TIME": Phrase("it could not be sent in time.", "tidak dapat dikirim tepat waktu."),
    "refusal.NO_LIVE_BOOK": Phrase(
        "there is no live order book of this symbol now.", "saat ini tidak ada buku order langsung untuk simbol ini."
    ),
    "refusal.BOOK_TOO_THIN": Phrase(
        "the live order book shows less than that.", "buku order langsung menunjukkan lebih sedikit dari itu."
    ),
    "refusal.POST_ONLY": Phrase(
        "it would have been executed at once, and is to rest only.",
        "akan langsung tereksekusi, padahal hanya boleh mengantre.",
    ),
    "refusal.NOT_SUPPORTED": Phrase("the exchange does not take that. {message}", "bursa tidak menerimanya. {message}"),
    "refusal.KEY_REFUSED": Phrase(
        "the account's key cannot be used. {message}", "kunci akun tidak dapat dipakai. {message}"
    ),
    "refusal.RATE_LIMITED": Phrase(
        "the exchange takes no more requests for now.", "bursa sedang tidak menerima permintaan lagi."
    ),
    "refusal.NOT_FOUND_AT_VENUE": Phrase(
        "the answer was lost, and the exchange does not have the order.",
        "jawabannya hilang, dan order tidak ada di bursa.",
    ),
    "refusal.VENUE_REFUSED": Phrase("the exchange refused it. {message}", "bursa menolaknya. {message}"),
    "order_event.foreign": Phrase(
        "👀 <b>{symbol}</b>: at {venue} an order is open that was not placed here ({order}). I do not touch it.",
        "👀 <b>{symbol}</b>: di {venue} ada order terbuka yang tidak ditempatkan di sini ({order}). Saya biarkan saja.",
    ),
    "order_event.tripped.venue": Phrase(
        "🛑 <b>Your orders at {venue} are stopped</b> after {errors} errors in a row.",
        "🛑 <b>Order Anda di {venue} dihentikan</b> setelah {errors} kesalahan berturut-turut.",
    ),
    "order_event.tripped.strategy": Phrase(
        "🛑 <b>The orders of strategy {strategy} are stopped</b> after {errors} errors in a row at {venue}.",
        "🛑 <b>Order dari strategi {strategy} dihentikan</b> setelah {errors} kesalahan berturut-turut di {venue}.",
    ),
    "order_event.tripped.heartbeat": Phrase(
        "🛑 <b>Your open orders at {venue} were cancelled</b>: I could not look after them.",
        "🛑 <b>Order terbuka Anda di {venue} dibatalkan</b>: saya tidak dapat mengawasinya.",
    ),
    "order_event.resume": Phrase("Go on with /resume.", "Lanjutkan dengan /resume."),
}
