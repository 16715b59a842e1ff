"""Trading: the events of orders and the requests and replies of `cmd.v1.trading.*`."""
