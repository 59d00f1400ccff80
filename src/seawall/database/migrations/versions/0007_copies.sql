ALTER TABLE entries ADD COLUMN content_row BIGINT;
CREATE INDEX ix_entries_content_row ON entries (content_row) WHERE content_row IS NOT NULL;

ALTER TABLE case_items ADD COLUMN copies_due BOOLEAN DEFAULT false NOT NULL;
-- What was confirmed before is put on the list at the next start.
UPDATE case_items SET copies_due = true WHERE state = 'confirmed';
CREATE INDEX ix_case_items_copies_due ON case_items (id) WHERE copies_due;
