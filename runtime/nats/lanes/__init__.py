"""The fast lane: plain publishing and reading of many messages at one go.."""
