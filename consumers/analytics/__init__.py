"""Use of the API: recorded in batches, kept for days, answered as figures."""
