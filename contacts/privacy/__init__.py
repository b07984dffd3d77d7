"""What the law asks of whoever keeps data about people: to know it, show it, end it, and prove it."""
