"""Whale clusters: several whale trades on one side of one base within a window."""
