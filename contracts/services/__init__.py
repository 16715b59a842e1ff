"""Requests and replies of each service's commands, a file a service.."""
