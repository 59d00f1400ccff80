ALTER TABLE case_items ADD COLUMN generation BIGINT DEFAULT 0 NOT NULL;
CREATE INDEX ix_case_items_pending ON case_items (generation, id) WHERE state = 'pending';

ALTER TABLE retractions ADD COLUMN news BIGINT DEFAULT 0 NOT NULL;
