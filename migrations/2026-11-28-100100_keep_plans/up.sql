-- A plan is decided once and kept with its rows, so that a page of a long one costs what a page
-- of a short one costs. Those of before are made again when they are looked at.
DELETE FROM plans;
ALTER TABLE plans
    -- What the campaign wanted when the plan was made.
    ADD COLUMN applied_spec_id uuid REFERENCES campaign_specs,
    -- `drover::view::preview::PlanTotals`, the requests it costs, what could not be read.
    ADD COLUMN summary jsonb NOT NULL,
    ADD COLUMN made_at timestamptz NOT NULL DEFAULT now();
CREATE INDEX plans_made_at ON plans (campaign_spec_id, made_at DESC);
CREATE INDEX plans_applied_spec_id ON plans (applied_spec_id);

CREATE TABLE plan_rows (
    campaign_spec_id uuid NOT NULL,
    hash text NOT NULL,
    position integer NOT NULL CHECK (position >= 0),
    -- The wish, or the spec of a changeset that no wish is about: its words stand there.
    changeset_spec_id uuid NOT NULL REFERENCES changeset_specs ON DELETE CASCADE,
    row jsonb NOT NULL,
    PRIMARY KEY (campaign_spec_id, hash, position),
    FOREIGN KEY (campaign_spec_id, hash) REFERENCES plans ON DELETE CASCADE
);
CREATE INDEX plan_rows_changeset_spec_id ON plan_rows (changeset_spec_id);

-- When anything about a campaign's changesets changed last, at once.
CREATE INDEX changesets_updated_at ON changesets (campaign_id, updated_at);

-- Wishes that were accepted and of which nothing could be made, each with its reason: a person
-- is needed. They are decided anew by each apply.
CREATE TABLE left_out (
    campaign_id uuid NOT NULL REFERENCES campaigns ON DELETE CASCADE,
    changeset_spec_id uuid NOT NULL REFERENCES changeset_specs,
    reason text NOT NULL CHECK (reason <> ''),
    PRIMARY KEY (campaign_id, changeset_spec_id)
);
CREATE INDEX left_out_changeset_spec_id ON left_out (changeset_spec_id);
