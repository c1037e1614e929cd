-- Since when and how often a pull request was not shown while its repository was: one "not
-- found" does not tell "gone" from "not visible to the token".
ALTER TABLE pulls
    ADD COLUMN missing_since timestamptz,
    ADD COLUMN missing_times integer NOT NULL DEFAULT 0 CHECK (missing_times >= 0),
    -- Drover set out to close it: whoever sees it closed first, it was Drover.
    ADD COLUMN closing_since timestamptz,
    ADD CONSTRAINT pulls_missing_since_when CHECK ((missing_since IS NULL) = (missing_times = 0));
