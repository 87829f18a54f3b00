"""The way in by HTTP: the page, the JSON interface, signing in, and how the guard is.

Nothing is decided here: every request becomes a question to the front desk (flow/desk.py). The modules are
imported by whoever opens the door, and by nobody else: a guard without a page does not pay for them.
"""
