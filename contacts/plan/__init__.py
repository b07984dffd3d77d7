"""The tracking plan: what is expected of a source's events, held against what comes in."""
