"""What this face keeps of answers: looked into, put and dropped by administrators, on every process."""
