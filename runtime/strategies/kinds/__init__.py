"""The kinds of strategies that come with the product: one file each, found by its name."""
