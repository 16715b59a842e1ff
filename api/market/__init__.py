"""The market data routes: they ask the market core and put its replies into their form."""
