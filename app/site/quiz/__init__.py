"""A quiz: can one beat the labels of a test set?"""
