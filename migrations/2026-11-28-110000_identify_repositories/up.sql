-- A repository is known by the number that its code host gave it. Its name can change, and can
-- pass on to another repository.
ALTER TABLE repositories
    -- None for one that was seen by an older Drover only, until it is read again.
    ADD COLUMN external_id bigint CHECK (external_id > 0),
    -- Another repository was seen under the name: it is not known what this one is called today.
    ADD COLUMN name_lost_at timestamptz;
DROP INDEX repositories_name_key;
CREATE UNIQUE INDEX repositories_name_key ON repositories (code_host_id, lower(name))
    WHERE name_lost_at IS NULL;
CREATE UNIQUE INDEX repositories_external_id_key ON repositories (code_host_id, external_id);
