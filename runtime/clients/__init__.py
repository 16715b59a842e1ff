"""What the faces send to the bus: commands, questions to the market core with what is kept of its answers."""
