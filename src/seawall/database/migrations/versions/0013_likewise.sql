ALTER TABLE case_items ADD COLUMN spread_due BOOLEAN DEFAULT false NOT NULL;
CREATE INDEX ix_case_items_spread_due ON case_items (id) WHERE spread_due;

ALTER TABLE decisions ADD COLUMN copy_of BIGINT CONSTRAINT fk_decisions_copy_of_decisions REFERENCES decisions (id);
