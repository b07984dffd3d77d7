"""What people who make segments need beside the rule: words to choose from, checks, lists, figures, versions."""
