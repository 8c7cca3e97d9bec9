"""Curate, validate, compare and report the KPIs of the 47 branches of the Japan Health Insurance Association.

Importing this package loads none of its heavy dependencies; import the module that is needed.
"""

__version__ = "0.1.0"
