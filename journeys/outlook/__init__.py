"""What is to come: the load of the next days, where it clashes, and what the calendar shows.

``expecting`` gathers messages one by one for a sample of people, ``pressing`` asks the charter about them,
``counting`` and ``clashes`` make figures of them, ``keeping`` works all that out now and then and keeps it.
"""
