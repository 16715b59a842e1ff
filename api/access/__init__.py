"""Keys of the store and the audit trail, for administrators."""
