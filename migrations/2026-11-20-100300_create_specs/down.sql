DROP TABLE log_lines;
DROP TABLE workspaces;
DROP TABLE changeset_specs;
DROP TABLE executions;
DROP TABLE drafts;
DROP TABLE campaign_specs;
