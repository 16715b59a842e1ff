"""Orders, what venues take, and how paper orders fill: pure, for execution and for the recorded past."""
