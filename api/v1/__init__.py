"""The JSON contract, version 1: one module per noun."""
