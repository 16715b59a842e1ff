"""Who may do what on the bus: what each service needs, the users that are made of it, and their permissions."""
