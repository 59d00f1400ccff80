ALTER TABLE reports ADD COLUMN reference VARCHAR;
CREATE UNIQUE INDEX uq_reports_reference ON reports (authority, reference) WHERE reference IS NOT NULL;
