"""What people who make segments need beside the rule: words, checks, lists, figures, versions."""
