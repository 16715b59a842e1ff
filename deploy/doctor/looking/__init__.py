"""Facts for the doctor: each file reads one side of a system and judges nothing."""
