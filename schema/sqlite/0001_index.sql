-- The index of a store: derived from the journal, rebuilt from it at any time, never the truth.
-- Rows carry where their frames lie in the journal; what is shown is read (and its hash checked) there.

CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;

CREATE TABLE actor (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (kind, name));

CREATE TABLE system (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);

CREATE TABLE session (
    id          INTEGER PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    actor       INTEGER NOT NULL,
    cwd         BLOB NOT NULL,
    first_ns    INTEGER NOT NULL,
    last_ns     INTEGER NOT NULL,
    ended_ns    INTEGER,
    events      INTEGER NOT NULL DEFAULT 0,
    changes     INTEGER NOT NULL DEFAULT 0,
    destructive INTEGER NOT NULL DEFAULT 0,
    failed      INTEGER NOT NULL DEFAULT 0,
    unkept      INTEGER NOT NULL DEFAULT 0 -- events that changed something of which not all was captured
);

CREATE TABLE event (
    id        INTEGER PRIMARY KEY, -- the event's number
    uid       INTEGER NOT NULL,    -- the first 8 bytes of its global id, big-endian, top bit flipped to sort as signed
    at_ns     INTEGER NOT NULL,
    session   INTEGER NOT NULL,
    actor     INTEGER NOT NULL,
    kind      INTEGER NOT NULL,    -- 0 command, 1 undo, 2 redo, 3 restore, 4 drill
    classes   INTEGER NOT NULL,    -- bit n: an effect of the n-th class, mildest first
    systems   INTEGER NOT NULL,    -- bit n: an effect on the n-th row of `system`
    captured  INTEGER NOT NULL,    -- bytes that its captures refer to
    segment   INTEGER NOT NULL,    -- where the before-half lies
    offset    INTEGER NOT NULL,
    asegment  INTEGER,             -- where the after-half lies
    aoffset   INTEGER,
    failed    INTEGER,             -- the after-half says: 0 done, 1 failed
    told      INTEGER NOT NULL DEFAULT 0, -- how much the after-half tells: 0 there is none, 5 a verdict
    silent    INTEGER NOT NULL DEFAULT 0, -- its turn or session ended without a word of it
    undone_by INTEGER,
    parent    INTEGER,             -- the event that it is a part of
    line      BLOB NOT NULL        -- the redacted command, for searching
);
CREATE INDEX event_uid ON event (uid);
CREATE INDEX event_parent ON event (parent) WHERE parent IS NOT NULL;
CREATE INDEX event_session ON event (session);
-- What happened since a moment is among the latest, and mostly less than a page.
CREATE INDEX event_at ON event (at_ns);
-- Undo and redo events that began and have not ended: asked for before each undo.
CREATE INDEX event_unfinished ON event (id) WHERE kind IN (1, 2) AND asegment IS NULL;

-- Events whose after-half has not come yet, or did not know how they ended: one row for each report of an event.
CREATE TABLE pending (
    session INTEGER NOT NULL,
    call    TEXT NOT NULL,
    event   INTEGER NOT NULL,
    key     TEXT NOT NULL,       -- of what runs (`Call::key`)
    channel TEXT NOT NULL,       -- who reported it: `id`, `args:REGISTRATION`, `shell`, `other`
    PRIMARY KEY (session, call, event)) WITHOUT ROWID;
CREATE INDEX pending_key ON pending (key, event);
CREATE INDEX pending_event ON pending (event);

-- Reports of a call that is an event already: the number that the report was given, and the event.
CREATE TABLE twin (event INTEGER PRIMARY KEY, of INTEGER NOT NULL);

-- What an undo, redo or restore event takes back.
CREATE TABLE target (event INTEGER NOT NULL, of INTEGER NOT NULL, PRIMARY KEY (event, of)) WITHOUT ROWID;

-- The places that events with an effect touch, for `--path`.
CREATE TABLE path (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL UNIQUE);
CREATE TABLE touch (path INTEGER NOT NULL, event INTEGER NOT NULL, PRIMARY KEY (path, event)) WITHOUT ROWID;

-- Steps of undo events, and gaps of the record.
CREATE TABLE step (event INTEGER NOT NULL, seq INTEGER NOT NULL, segment INTEGER NOT NULL, offset INTEGER NOT NULL,
    PRIMARY KEY (event, seq)) WITHOUT ROWID;
CREATE TABLE gap (seq INTEGER PRIMARY KEY, segment INTEGER NOT NULL, offset INTEGER NOT NULL);
