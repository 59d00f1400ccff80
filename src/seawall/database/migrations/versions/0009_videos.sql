ALTER TABLE entries ADD COLUMN video VARCHAR;
CREATE INDEX ix_entries_video ON entries (list_id, video) WHERE video IS NOT NULL;
