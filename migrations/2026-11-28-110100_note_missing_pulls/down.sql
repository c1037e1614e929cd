ALTER TABLE pulls DROP COLUMN closing_since, DROP COLUMN missing_times, DROP COLUMN missing_since;
