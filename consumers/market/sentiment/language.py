"""Which of the two languages a text is in, by its function words, its affixes and the lexicon's own words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from consumers.market.sentiment.lexicon import Match
from consumers.market.sentiment.tokens import Token

Language = Literal["en", "id", "unknown"]
_ENGLISH: Final = frozenset({
    "the", "a", "an", "of", "to", "in", "is", "are", "was", "were", "be", "been", "it", "its", "this", "that",
    "these", "those", "and", "or", "but", "for", "with", "from", "at", "by", "on", "as", "not", "have", "has",
    "had", "do", "does", "did", "will", "would", "can", "could", "should", "may", "might", "you", "we", "they",
    "he", "she", "i", "my", "your", "our", "their", "what", "when", "where", "which", "who", "how", "why", "if",
    "than", "then", "there", "here", "after", "before", "over", "into", "about", "up", "down", "out", "no",
    "so", "just", "more", "most", "all", "any", "some", "new", "now", "get", "got", "amid",
})  # fmt: skip
_INDONESIAN: Final = frozenset({
    "yang", "di", "ke", "dari", "dan", "atau", "untuk", "dengan", "pada", "ini", "itu", "akan", "tidak", "tak",
    "bukan", "belum", "sudah", "telah", "oleh", "karena", "saat", "hari", "jadi", "bisa", "ada", "juga", "lagi",
    "aja", "saja", "kok", "sih", "dong", "nih", "deh", "ya", "kalau", "kalo", "tapi", "namun", "meski", "harga",
    "pasar", "kripto", "gue", "gua", "lu", "lo", "aku", "saya", "kita", "kami", "mereka", "dia", "apa", "siapa",
    "kapan", "gimana", "bagaimana", "berapa", "kenapa", "apakah", "para", "pun", "masih", "lebih", "sangat",
    "banget", "sama", "buat", "biar", "udah", "gak", "ga", "nggak", "ngga", "enggak", "jangan", "usai",
    "jelang", "per", "hingga", "sampai", "sejak", "menjadi", "persen", "juta", "miliar", "triliun", "ribu",
    "rupiah", "dolar", "bursa", "koin", "investor", "pekan", "tahun", "bulan", "nya", "se",
})  # fmt: skip
_PREFIXES: Final = ("meng", "meny", "mem", "men", "ber", "ter", "di", "pe")
_SUFFIXES: Final = ("nya", "kan", "lah")
_LEAST_AFFIXED: Final = 6


def detect(tokens: Sequence[Token], matches: Sequence[Match]) -> Language:
    """Return the language; `unknown` where no word is of either."""
    english = indonesian = 0.0
    for token in tokens:
        if token.kind == "word":
            english += token.word in _ENGLISH
            indonesian += token.word in _INDONESIAN
            indonesian += 0.5 * _is_affixed(token.word)
    for match in matches:
        if tokens[match.start].kind == "word" and "asset" not in match.kinds:
            english += 0.5 * (match.language == "en")
            indonesian += 0.5 * (match.language == "id")
    if english == indonesian:
        is_latin = any(token.kind == "word" and token.word.isascii() for token in tokens)
        return "en" if is_latin else "unknown"
    return "en" if english > indonesian else "id"


def _is_affixed(word: str) -> bool:
    return len(word) >= _LEAST_AFFIXED and (
        word.endswith(_SUFFIXES) or (word.startswith(_PREFIXES) and word[-1] != "s")
    )
