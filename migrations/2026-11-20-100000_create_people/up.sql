-- People, organisations, and the namespaces in which both own campaigns.

CREATE TABLE users (
    id uuid PRIMARY KEY,
    role text NOT NULL CHECK (role IN ('member', 'admin')),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE organisations (
    id uuid PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE members (
    organisation_id uuid NOT NULL REFERENCES organisations ON DELETE CASCADE,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (organisation_id, user_id)
);
CREATE INDEX members_user_id ON members (user_id);

-- Users and organisations share one space of names, so the name lives here and only here.
CREATE TABLE namespaces (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$'),
    user_id uuid UNIQUE REFERENCES users ON DELETE CASCADE,
    organisation_id uuid UNIQUE REFERENCES organisations ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT namespaces_one_owner CHECK (num_nonnulls(user_id, organisation_id) = 1)
);
CREATE UNIQUE INDEX namespaces_name_key ON namespaces (lower(name));

-- Only digests of secrets are stored: who reads the table cannot sign in.
CREATE TABLE sessions (
    digest bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    CONSTRAINT sessions_end_after_start CHECK (expires_at > created_at)
);
CREATE INDEX sessions_user_id ON sessions (user_id);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

CREATE TABLE access_tokens (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    label text NOT NULL CHECK (label <> ''),
    digest bytea NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at timestamptz,
    expires_at timestamptz
);
CREATE INDEX access_tokens_user_id ON access_tokens (user_id);

-- The token with which the first person signs in to a new server: one, used once.
CREATE TABLE setup_tokens (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at timestamptz
);
