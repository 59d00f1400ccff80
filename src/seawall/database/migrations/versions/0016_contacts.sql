CREATE TABLE accounts (
    account_id VARCHAR NOT NULL,
    age_band VARCHAR NOT NULL,
    age_source VARCHAR,
    said_band VARCHAR,
    opened_at TIMESTAMP WITH TIME ZONE,
    region VARCHAR,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_accounts PRIMARY KEY (account_id)
);

CREATE TABLE contacts (
    from_id VARCHAR NOT NULL,
    to_id VARCHAR NOT NULL,
    requested_at TIMESTAMP WITH TIME ZONE,
    accepted_at TIMESTAMP WITH TIME ZONE,
    declined_at TIMESTAMP WITH TIME ZONE,
    muted_at TIMESTAMP WITH TIME ZONE,
    blocked_at TIMESTAMP WITH TIME ZONE,
    reported_at TIMESTAMP WITH TIME ZONE,
    touched_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_contacts PRIMARY KEY (from_id, to_id)
);

CREATE INDEX ix_contacts_touched_at ON contacts (touched_at);

CREATE TABLE contact_days (
    account_id VARCHAR NOT NULL,
    day DATE NOT NULL,
    reached INTEGER DEFAULT 0 NOT NULL,
    reached_children INTEGER DEFAULT 0 NOT NULL,
    accepted INTEGER DEFAULT 0 NOT NULL,
    declined INTEGER DEFAULT 0 NOT NULL,
    muted INTEGER DEFAULT 0 NOT NULL,
    blocked INTEGER DEFAULT 0 NOT NULL,
    reported INTEGER DEFAULT 0 NOT NULL,
    CONSTRAINT pk_contact_days PRIMARY KEY (account_id, day)
);

CREATE INDEX ix_contact_days_day ON contact_days (day);
