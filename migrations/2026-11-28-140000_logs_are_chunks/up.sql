-- A row for every line cost many times its text. A chunk holds the lines that were written
-- together, whatever their stream.
CREATE TABLE log_chunks (
    workspace_id uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    -- The lines before it: readers go on behind a line, in the middle of a chunk if need be.
    line bigint NOT NULL CHECK (line >= 0),
    lines integer NOT NULL CHECK (lines > 0),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- From 1; 0 for Drover's own words.
    step integer NOT NULL CHECK (step >= 0),
    -- Lines with breaks between them. The first character of each names its stream: d, o, e.
    text text NOT NULL,
    PRIMARY KEY (workspace_id, line)
);

WITH one AS (
    -- Drover's own words could hold several lines in one row.
    SELECT workspace_id, seq, at, step, left(replace(stream, 'std', ''), 1) AS mark, piece, part
    FROM log_lines, regexp_split_to_table(text, E'\n') WITH ORDINALITY AS it (piece, part)
),
numbered AS (
    SELECT *,
        row_number() OVER w - 1 AS line,
        sum(octet_length(piece) + 2) OVER w / 65536 AS portion
    FROM one
    WINDOW w AS (PARTITION BY workspace_id ORDER BY seq, part)
)
INSERT INTO log_chunks (workspace_id, line, lines, at, step, text)
SELECT workspace_id, min(line), count(*), min(at), step,
    string_agg(mark || piece, E'\n' ORDER BY line)
FROM (
    -- Drover's words may stand between the steps, so a step can have several runs of lines.
    SELECT *, line - row_number() OVER (PARTITION BY workspace_id, step ORDER BY line) AS run
    FROM numbered
) AS it
GROUP BY workspace_id, step, run, portion;

DROP TABLE log_lines;
