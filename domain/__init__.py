"""The rules of a medical spa: pure functions over facts. Imports pydantic and the standard library only."""
