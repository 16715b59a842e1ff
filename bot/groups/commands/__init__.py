"""The commands that people type in managed groups, and the buttons below their answers."""
