"""What every venue's values go through: numbers, sizes, lenient JSON.."""
