DROP TABLE timeline;
DROP FUNCTION refuse_change_of_history();
DROP TABLE effects;
DROP TABLE changesets;
DROP TABLE pushes;
DROP TABLE pulls;
DROP TABLE campaigns;
