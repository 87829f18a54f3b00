"""The ways to those outside: web services, chat rooms and desktops, and a person's folder of drafts.

Each module is imported by whoever needs it: their libraries take long to load, and few installations use all.
"""
