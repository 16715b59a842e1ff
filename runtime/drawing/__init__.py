"""Pictures: the figure that charts are drawn on, and the thread that they are drawn in."""
