"""One connection of a venue: socket, session, watchdog, books, publishing.."""
