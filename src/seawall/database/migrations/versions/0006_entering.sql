-- What is new and on no list goes into the ledger with one statement. It never changes again.
-- `arrived` is a JSON array of objects whose hashes are hexadecimal; `number` is given back for those that were left
-- out, since the ledger has a row of that content version, or somebody else is about to enter one.
-- The lock is that of `Lock.CONTENT`. It is tried, not waited for: who enters many at once holds many of them, and must
-- never wait for another who does. The look after it is a statement of its own, so that it sees all that was committed
-- before the lock was free.
CREATE FUNCTION seawall_enter_new(
    arrived json, of_generation bigint, new_verdict text, of_policy text, new_state text
) RETURNS SETOF integer LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
    a record;
    known_by bytea;
BEGIN
    FOR a IN SELECT * FROM json_to_recordset(arrived) AS r (
        number integer, content_id text, identity text, account_id text, surface text, filename text,
        uploader_ip inet, uploaded_at timestamptz, md5 text, sha1 text, sha256 text, pdq text, pdq_quality integer,
        url_hash text)
    LOOP
        IF NOT pg_try_advisory_xact_lock(71002, hashtext(a.content_id || ':' || a.identity)) THEN
            RETURN NEXT a.number;
            CONTINUE;
        END IF;
        known_by := decode(a.identity, 'hex');
        PERFORM FROM content AS c WHERE c.content_id = a.content_id AND c.identity = known_by;
        IF FOUND THEN
            RETURN NEXT a.number;
            CONTINUE;
        END IF;
        INSERT INTO content (content_id, identity, account_id, surface, filename, uploader_ip, uploaded_at, md5, sha1,
            sha256, pdq, pdq_quality, url_hash, frames, generation, verdict, reasons, policy_version, state)
        VALUES (a.content_id, known_by, a.account_id, a.surface, a.filename, a.uploader_ip, a.uploaded_at,
            decode(a.md5, 'hex'), decode(a.sha1, 'hex'), decode(a.sha256, 'hex'), decode(a.pdq, 'hex'), a.pdq_quality,
            decode(a.url_hash, 'hex'),
            CASE WHEN a.pdq IS NULL THEN '[]'::jsonb
                ELSE jsonb_build_array(jsonb_build_object('number', 0, 'pdq', a.pdq, 'quality', a.pdq_quality)) END,
            of_generation, new_verdict, '[]', of_policy, new_state);
    END LOOP;
END
$body$;
