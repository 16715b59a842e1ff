"""The market data routes: they send requests to the market core and format its replies."""
