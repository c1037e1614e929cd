CREATE TABLE log_lines (
    workspace_id uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- From 1; 0 for Drover's own words.
    step integer NOT NULL CHECK (step >= 0),
    stream text NOT NULL CHECK (stream IN ('drover', 'stdout', 'stderr')),
    text text NOT NULL,
    PRIMARY KEY (workspace_id, seq)
);

INSERT INTO log_lines (workspace_id, at, step, stream, text)
SELECT workspace_id, at, step,
    CASE left(piece, 1) WHEN 'o' THEN 'stdout' WHEN 'e' THEN 'stderr' ELSE 'drover' END,
    substr(piece, 2)
FROM log_chunks, regexp_split_to_table(text, E'\n') WITH ORDINALITY AS it (piece, part)
ORDER BY workspace_id, line, part;

DROP TABLE log_chunks;
