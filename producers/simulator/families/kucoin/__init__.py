"""What KuCoin's spot and futures venues share."""
