"""Answers as they were: composed by the same functions as live ones, from the documents as they stood at a moment."""
