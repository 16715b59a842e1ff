"""Raw frames to files and back, and their command lines.."""
