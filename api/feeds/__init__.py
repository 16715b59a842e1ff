"""The feeds, for those who may set them right."""
