"""Orders on venues: each intent becomes at most one order there, whatever is lost on the way."""
