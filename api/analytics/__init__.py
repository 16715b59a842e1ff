"""Use of this API: recorded beside the requests, answered by the analytics consumer."""
