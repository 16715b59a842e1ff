"""The dead man's switch: errors one after another stop orders, and who cannot act any more cancels what is open."""
