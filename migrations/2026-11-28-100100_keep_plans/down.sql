DROP TABLE left_out;
DROP INDEX changesets_updated_at;
DROP TABLE plan_rows;
DROP INDEX plans_applied_spec_id;
DROP INDEX plans_made_at;
ALTER TABLE plans DROP COLUMN applied_spec_id, DROP COLUMN summary, DROP COLUMN made_at;
