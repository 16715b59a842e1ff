"""What Binance's spot and USD-M venues share."""
