"""What a process's services are made of: the service, the detector, the resuming of state.."""
