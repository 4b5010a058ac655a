"""Model evaluation shared by the site and the commands, so that both give the same figures.

How stable a ranking of models is, how good a visitor's predictions are, and whether published figures are reproduced.
Reads catalogues over a given connection; writes nothing and knows neither the web nor the release files.
"""
