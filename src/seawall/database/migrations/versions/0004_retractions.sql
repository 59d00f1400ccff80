ALTER TABLE entries ADD COLUMN retracted BIGINT;
-- What was removed or disputed before is taken back at the next start.
UPDATE entries SET retracted = change WHERE removed_at IS NOT NULL OR disputed;
CREATE INDEX ix_entries_retracted ON entries (retracted) WHERE retracted IS NOT NULL;

ALTER TABLE case_items ADD COLUMN retracted JSONB DEFAULT '[]' NOT NULL;
ALTER TABLE case_items ADD COLUMN again_of BIGINT;
ALTER TABLE case_items ADD CONSTRAINT fk_case_items_again_of FOREIGN KEY(again_of) REFERENCES case_items (id);
CREATE INDEX ix_case_items_again_of ON case_items (again_of);
-- A constant first, so that the table is not written anew.
ALTER TABLE case_items ADD COLUMN written_in xid8 DEFAULT '0' NOT NULL;
ALTER TABLE case_items ALTER COLUMN written_in SET DEFAULT pg_current_xact_id();
CREATE INDEX ix_case_items_written_in ON case_items (written_in);
CREATE INDEX ix_case_items_findings ON case_items USING gin (findings jsonb_path_ops);

CREATE TABLE retractions (
    id INTEGER NOT NULL,
    generation BIGINT DEFAULT 0 NOT NULL,
    horizon xid8 DEFAULT '0' NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_retractions PRIMARY KEY (id)
);

INSERT INTO retractions (id) VALUES (1);

-- What is released without a reviewer is published again, and whoever remembers that it was refused must hear of it.
DROP TRIGGER content_changed ON content;
CREATE TRIGGER content_changed AFTER UPDATE OF state ON content
    FOR EACH ROW WHEN (NEW.state IS DISTINCT FROM OLD.state) EXECUTE FUNCTION seawall_tell_standing();
