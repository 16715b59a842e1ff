"""Commands and buttons: each checks who asks, makes a page, and hands it to the outbox."""
