"""Pictures in files of a user's own: what kinds of files there are, how each is decoded, and what it says of itself."""
