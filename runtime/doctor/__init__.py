"""The command `python -m runtime.doctor`; what it does is in `deploy.doctor`, which may import every part."""
