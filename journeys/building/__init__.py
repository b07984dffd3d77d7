"""Building a journey step by step: a draft drawn while it is incomplete, its changes, its forms and previews."""
