"""Look at a folder of labelled files, and write the manifest and the files that describe it as a dataset.

It reads and never writes below that folder. What it is unsure of, and what it leaves out, it says.
"""
