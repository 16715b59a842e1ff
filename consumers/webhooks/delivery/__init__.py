"""From an event that endpoints want to their receivers: matched, numbered, queued, posted, tried again."""
