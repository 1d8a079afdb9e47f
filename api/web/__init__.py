"""Which pages does a person see in a browser? Server-rendered, one module per noun."""

from api.web import (
    audit,
    client_acts,
    clients,
    evidence,
    missing,
    note_acts,
    notes,
    sign_in,
    static,
)

ROUTERS = (
    static.router,
    sign_in.router,
    clients.router,
    client_acts.router,
    notes.router,
    note_acts.router,
    audit.router,
    evidence.router,
    missing.router,  # last: it takes what is left
)
