"""Building a journey step by step: drafts drawn while they are incomplete, changes, forms and previews."""
