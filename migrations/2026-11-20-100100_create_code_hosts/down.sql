DROP TABLE deliveries;
DROP TABLE repositories;
DROP TABLE write_spends;
DROP TABLE credentials;
DROP TABLE code_hosts;
