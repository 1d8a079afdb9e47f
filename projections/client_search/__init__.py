"""Which clients might be meant? By name, phone, e-mail or birth date, typing errors forgiven."""
