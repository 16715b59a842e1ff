"""Liquidation storms: liquidations of one base that pile up within seconds."""
