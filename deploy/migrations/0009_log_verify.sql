-- Who may ask for signed heads and proofs, in the practices that are there already. The tables'
-- owner is bound to one practice like everybody else, but for this statement.

SET ROLE palimpsest_owner;
ALTER TABLE identity.role NO FORCE ROW LEVEL SECURITY;
UPDATE identity.role SET permissions = array_append(permissions, 'log.verify')
WHERE role IN ('owner', 'auditor') AND 'log.verify' <> ALL (permissions);
ALTER TABLE identity.role FORCE ROW LEVEL SECURITY;
RESET ROLE;
