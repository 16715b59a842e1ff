"""How long each part of an event's way takes: samples, percentiles of the last minutes, Prometheus histograms."""
