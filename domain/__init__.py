"""The rules of a medical spa: pure functions over facts. Only pydantic and the standard library.

Importing any part of it registers the events of all contexts, so that whoever reads the log can
read all of it.
"""

from domain.chart import events as chart_events
from domain.client import events as client_events
from domain.compliance import events as compliance_events
from domain.practice_key import events as practice_key_events

__all__ = ["chart_events", "client_events", "compliance_events", "practice_key_events"]
