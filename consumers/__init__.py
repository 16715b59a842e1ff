"""Programs that each turn what the bus says into one thing: a cache, alerts, candles."""
