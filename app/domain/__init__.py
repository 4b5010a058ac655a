"""Every formula of the project, and nothing else: numpy and the standard library in, plain values out."""
