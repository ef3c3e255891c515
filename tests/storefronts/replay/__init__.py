"""Holds the pretend Shopify against recorded exchanges of real stores.

`__main__` runs the workflows, `order` finds out in which order things happened, `derive` writes documents
for exchanges that came without one, `seed` makes the state that a workflow starts from, `compare` says
what agrees. The recordings are never part of the project.
"""
