CREATE TABLE claims (
    case_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    taken_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    within VARCHAR DEFAULT '' NOT NULL,
    assigned BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_claims PRIMARY KEY (case_id),
    CONSTRAINT fk_claims_case_id FOREIGN KEY(case_id) REFERENCES cases (id),
    CONSTRAINT fk_claims_user_id FOREIGN KEY(user_id) REFERENCES users (id)
);
CREATE INDEX ix_claims_user_id ON claims (user_id);

CREATE TABLE presences (
    case_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_presences PRIMARY KEY (case_id, user_id),
    CONSTRAINT fk_presences_case_id FOREIGN KEY(case_id) REFERENCES cases (id),
    CONSTRAINT fk_presences_user_id FOREIGN KEY(user_id) REFERENCES users (id)
);
CREATE INDEX ix_presences_seen_at ON presences (seen_at);
