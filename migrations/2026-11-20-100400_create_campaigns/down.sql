DROP TABLE timeline;
DROP FUNCTION refuse_change_of_history();
DROP TABLE plans;
DROP TABLE effects;
DROP TABLE changesets;
DROP TABLE branches;
DROP TABLE pulls;
DROP TABLE campaigns;
