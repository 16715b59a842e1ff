"""Dead letters: listed, published again, removed."""
