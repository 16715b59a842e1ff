"""How the simulator is reached: HTTP, sockets, keep-alive rules, and the faults of frames."""
