-- Code hosts, the secrets to act on them, their repositories, and the pace of our writes.

CREATE TABLE code_hosts (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('github')),
    api_url text NOT NULL UNIQUE,
    git_url text NOT NULL,
    web_url text NOT NULL,
    writes_per_minute integer NOT NULL CHECK (writes_per_minute > 0),
    writes_per_hour integer NOT NULL CHECK (writes_per_hour >= writes_per_minute),
    write_gap_millis integer NOT NULL CHECK (write_gap_millis >= 0),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE credentials (
    id uuid PRIMARY KEY,
    code_host_id uuid NOT NULL REFERENCES code_hosts ON DELETE CASCADE,
    -- The person whose secret it is; none for the one that the server uses for everybody.
    user_id uuid REFERENCES users ON DELETE CASCADE,
    label text NOT NULL CHECK (label <> ''),
    -- Ciphertext, and which key opens it.
    sealed bytea NOT NULL,
    key_id text NOT NULL CHECK (key_id <> ''),
    -- The code host told us to send nothing before.
    paused_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX credentials_owner_key
    ON credentials (code_host_id, user_id) NULLS NOT DISTINCT;

-- Every write that a credential made within the last hour: the budget counts these.
CREATE TABLE write_spends (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    credential_id uuid NOT NULL REFERENCES credentials ON DELETE CASCADE,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX write_spends_credential_at ON write_spends (credential_id, at DESC);

CREATE TABLE repositories (
    id uuid PRIMARY KEY,
    code_host_id uuid NOT NULL REFERENCES code_hosts,
    name text NOT NULL CHECK (name ~ '^[^/]+/[^/]+$'),
    default_branch text NOT NULL CHECK (default_branch <> ''),
    archived boolean NOT NULL,
    language text,
    topics text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now()
);
-- Code hosts tell no upper case from lower case in the names of repositories.
CREATE UNIQUE INDEX repositories_name_key ON repositories (code_host_id, lower(name));

-- A delivery is stored once by its id; whatever it hints at is read from the code host.
CREATE TABLE deliveries (
    code_host_id uuid NOT NULL REFERENCES code_hosts ON DELETE CASCADE,
    id text NOT NULL CHECK (id <> ''),
    event text NOT NULL,
    payload bytea NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    processed_at timestamptz,
    PRIMARY KEY (code_host_id, id)
);
CREATE INDEX deliveries_received_at ON deliveries (received_at);
