"""In-app messages and the inbox: what waits until the person comes, and what they do with it."""
