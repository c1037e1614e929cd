DROP INDEX repositories_external_id_key;
DROP INDEX repositories_name_key;
-- Without the number, a name is all that tells repositories apart.
UPDATE repositories SET name = name || '.' || external_id WHERE name_lost_at IS NOT NULL;
ALTER TABLE repositories DROP COLUMN name_lost_at, DROP COLUMN external_id;
CREATE UNIQUE INDEX repositories_name_key ON repositories (code_host_id, lower(name));
