-- Where is a projection stuck? A row that every projector and the operator see; it names the event
-- by its place and type and the error by its class, never content.

SET ROLE palimpsest_owner;

CREATE TABLE projection.parked (
    practice_id uuid NOT NULL DEFAULT record.current_practice() REFERENCES record.practice,
    name text NOT NULL,
    position bigint NOT NULL CHECK (position > 0),
    type text NOT NULL,
    error text NOT NULL,
    failures integer NOT NULL DEFAULT 1 CHECK (failures > 0),
    retry_at timestamptz NOT NULL,
    PRIMARY KEY (practice_id, name)
);
CALL projection.shelter('projection.parked');
-- Which projections are stuck, in which practices? Places and types, no content.
CREATE POLICY news ON projection.parked FOR SELECT TO palimpsest_app USING (true);

RESET ROLE;
