DROP TABLE setup_tokens;
DROP TABLE access_tokens;
DROP TABLE sessions;
DROP TABLE namespaces;
DROP TABLE members;
DROP TABLE organisations;
DROP TABLE users;
