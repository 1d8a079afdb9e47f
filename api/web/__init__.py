"""Which pages does a person see in a browser? Server-rendered, one module per noun."""
