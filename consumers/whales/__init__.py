"""Whale trades: one aggressor's fills, merged, worth more than a limit."""
