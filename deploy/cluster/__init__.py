"""Every part twice and three servers of the bus on one machine, and faults under load."""
