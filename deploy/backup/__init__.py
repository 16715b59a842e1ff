"""Backup and restore of everything that is kept, and documents moved from one server to another."""
