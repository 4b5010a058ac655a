"""Votes that are given elsewhere: on a page without a server, or in a file of another tool."""
