"""What the site and the commands both compute from a catalogue, so that they cannot differ: how stable a ranking of
models is, how good a visitor's predictions are, and whether published figures come out. Knows no web and no file of the
release; reads catalogues over a connection it is given and writes nothing.
"""
