DROP TABLE jobs;
DROP SEQUENCE job_fences;
