"""The task pages of raters and their API, over the store of votes; only where the server is started with it."""
