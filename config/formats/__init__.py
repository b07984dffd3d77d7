"""How dates and times are written: on the 24-hour clock, with short months."""
