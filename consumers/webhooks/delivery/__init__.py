"""From the work queue to the receivers: what is due is posted, tried again, and given up in the end."""
