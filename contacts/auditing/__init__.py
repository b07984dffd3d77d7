"""The auditor: what Segue promises, looked after while it runs.

Each app declares its promises in a module ``promises`` of its own, as data; ``registry`` finds them by that
name. ``looking`` looks whether they hold and keeps what it finds; ``telling`` writes to people about it.
"""
