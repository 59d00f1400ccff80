CREATE TABLE passed_on (
    case_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    passed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_passed_on PRIMARY KEY (case_id, user_id),
    CONSTRAINT fk_passed_on_case_id_cases FOREIGN KEY(case_id) REFERENCES cases (id),
    CONSTRAINT fk_passed_on_user_id_users FOREIGN KEY(user_id) REFERENCES users (id)
);
CREATE INDEX ix_decisions_viewed ON decisions (user_id, id) WHERE viewed;
