"""The endpoints: what their owners registered, kept with sealed secrets, changed by commands."""
