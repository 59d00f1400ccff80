-- Whoever remembers where a content stands hears of it when that changes. It never changes again.
-- What is published at its upload is not told: commits that announce something wait for each other, and uploads must not.
-- A channel takes 8000 bytes; an id that is longer is told as nothing, which means: forget all.

CREATE FUNCTION seawall_tell_standing() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    PERFORM pg_notify('seawall_standings',
        CASE WHEN octet_length(NEW.content_id) < 8000 THEN NEW.content_id ELSE '' END);
    RETURN NULL;
END
$body$;

CREATE TRIGGER content_entered AFTER INSERT ON content
    FOR EACH ROW WHEN (NEW.state <> 'published') EXECUTE FUNCTION seawall_tell_standing();

CREATE TRIGGER content_changed AFTER UPDATE OF state ON content
    FOR EACH ROW WHEN (NEW.state <> 'published' AND NEW.state IS DISTINCT FROM OLD.state)
    EXECUTE FUNCTION seawall_tell_standing();
