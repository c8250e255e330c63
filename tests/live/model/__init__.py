"""A scripted model on loopback: it speaks the agents' wire protocols and calls the tools that a test tells it to.

script.py decides what the model does next; one file per protocol says it; server.py listens. Standard library only.
"""
