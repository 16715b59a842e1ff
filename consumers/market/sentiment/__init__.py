"""The tone of a text about the market: bullish, bearish or neutral, with the words that decided."""
