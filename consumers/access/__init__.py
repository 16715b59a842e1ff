"""The key store, with owners, scopes, rotation and revocation, and the audit trail."""
