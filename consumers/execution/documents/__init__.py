"""The documents of execution: accounts, the journal of orders, what owners ask of them, the switch."""
