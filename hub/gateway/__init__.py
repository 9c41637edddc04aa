"""The national gateway dialect: what the field's Java client (SDK 2.0.0, 2.0.1) speaks, over the same exchange verbs.

Every argument of a call stands in one signed header; every answer is one JSON object, final refusals with HTTP 200,
faults that pass with 503.
"""
