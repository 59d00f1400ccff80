CREATE TABLE conversations (
    conversation_id VARCHAR NOT NULL,
    messages BIGINT DEFAULT 0 NOT NULL,
    last_at TIMESTAMP WITH TIME ZONE,
    state JSON DEFAULT '{}' NOT NULL,
    touched_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_conversations PRIMARY KEY (conversation_id)
);
CREATE INDEX ix_conversations_touched_at ON conversations (touched_at);
CREATE TABLE conversation_messages (
    conversation_id VARCHAR NOT NULL,
    message_id VARCHAR NOT NULL,
    number BIGINT NOT NULL,
    author VARCHAR NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE NOT NULL,
    sealed BYTEA,
    answer JSON NOT NULL,
    taken_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    CONSTRAINT pk_conversation_messages PRIMARY KEY (conversation_id, message_id),
    CONSTRAINT fk_conversation_messages_conversation_id FOREIGN KEY(conversation_id)
        REFERENCES conversations (conversation_id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX uq_conversation_messages_number ON conversation_messages (conversation_id, number);
CREATE INDEX ix_conversation_messages_sealed ON conversation_messages (taken_at) WHERE sealed IS NOT NULL;
