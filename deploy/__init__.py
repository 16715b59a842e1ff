"""How the parts are put together on a machine: launcher, terminal view, manifests."""
