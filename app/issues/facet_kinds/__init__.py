"""Facets that are more than an entry of the list: those of models and of second opinions."""
