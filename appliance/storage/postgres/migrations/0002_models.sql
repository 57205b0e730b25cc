-- The models of projects, and a count of changes by which other processes notice that what they remember is old.

CREATE TABLE models (
    id text PRIMARY KEY,
    project_id text NOT NULL REFERENCES projects ON DELETE CASCADE,
    model_name text NOT NULL,
    match_pattern text NOT NULL,
    start_date timestamptz,
    unit text CHECK (unit IN ('CHARACTERS', 'TOKENS', 'MILLISECONDS', 'SECONDS', 'IMAGES', 'REQUESTS')),
    tokenizer_id text CHECK (tokenizer_id IN ('openai', 'claude')),
    tokenizer_config json,
    pricing_tiers json NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX models_by_name
    ON models (project_id, model_name, coalesce(start_date, '-infinity'), coalesce(unit, ''));

CREATE TABLE changes (
    noun text PRIMARY KEY,
    number bigint NOT NULL DEFAULT 0
);
INSERT INTO changes (noun) VALUES ('models'), ('prompts'), ('score_configs');

CREATE FUNCTION count_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE changes SET number = number + 1 WHERE noun = TG_TABLE_NAME;
    RETURN NULL;
END
$$;
CREATE TRIGGER models_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON models
    FOR EACH STATEMENT EXECUTE FUNCTION count_change();
CREATE TRIGGER prompts_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON prompts
    FOR EACH STATEMENT EXECUTE FUNCTION count_change();
CREATE TRIGGER score_configs_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON score_configs
    FOR EACH STATEMENT EXECUTE FUNCTION count_change();
