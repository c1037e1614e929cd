//! The lines that workspaces write while their steps run.

use super::{
    Conn, StoreError,
    error::Found,
    schema::workspaces,
    sql_types::{Db, Word, integer},
};
use diesel::{
    QueryDsl, QueryableByName,
    sql_types::{Array, BigInt, Integer, Text, Timestamptz, Uuid as SqlUuid},
};
use diesel_async::RunQueryDsl;
use drover::{
    id::WorkspaceId,
    time::Timestamp,
    view::execution::{LogLine, LogPage, LogStream},
};

/// A longer line is cut, in bytes.
pub const LINE_BYTES_MAX: usize = 16 * 1024;
/// The lines that one read gives, at most.
pub const LINES_MAX: u32 = 1_000;

/// A line to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLine {
    /// From 1; 0 for Drover's own words.
    pub step: u32,
    pub stream: LogStream,
    pub text: String,
}

/// Appends lines in one statement and wakes those who watch.
///
/// Lines are numbered in the order of appending. One job appends for a workspace at a time, so
/// a reader who goes on behind the last number that it saw misses nothing.
pub async fn append(
    conn: &mut Conn,
    workspace: WorkspaceId,
    lines: &[NewLine],
) -> Result<(), StoreError> {
    let steps: Vec<i32> = lines.iter().map(|line| integer(line.step)).collect();
    let streams: Vec<&str> = lines.iter().map(|line| line.stream.word()).collect();
    let texts: Vec<String> = lines.iter().map(|line| storable(&line.text)).collect();
    diesel::sql_query(
        "WITH added AS (
             INSERT INTO log_lines (workspace_id, step, stream, text)
             SELECT $1, step, stream, text
             FROM unnest($2, $3, $4) WITH ORDINALITY AS it (step, stream, text, position)
             ORDER BY position
         )
         SELECT pg_notify('drover', 'workspace:' || $1)",
    )
    .bind::<SqlUuid, _>(workspace.0)
    .bind::<Array<Integer>, _>(steps)
    .bind::<Array<Text>, _>(streams)
    .bind::<Array<Text>, _>(texts)
    .execute(conn)
    .await?;
    Ok(())
}

/// Reads the lines behind `after`; 0 reads from the start.
pub async fn read(
    conn: &mut Conn,
    workspace: WorkspaceId,
    after: i64,
) -> Result<LogPage, StoreError> {
    // Whether more may come is read first: a line written in between is read with the lines.
    let finished_at: Option<chrono::DateTime<chrono::Utc>> = workspaces::table
        .find(workspace.0)
        .select(workspaces::finished_at)
        .first(conn)
        .await
        .found("workspace")?;
    let rows: Vec<Row> = diesel::sql_query(
        "SELECT seq, at, step, stream, text FROM log_lines
         WHERE workspace_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
    )
    .bind::<SqlUuid, _>(workspace.0)
    .bind::<BigInt, _>(after)
    .bind::<BigInt, _>(i64::from(LINES_MAX))
    .load(conn)
    .await?;
    let full = rows.len() == LINES_MAX as usize;
    Ok(LogPage {
        next: rows.last().map_or(after, |row| row.seq),
        open: full || finished_at.is_none(),
        lines: rows.into_iter().map(LogLine::from).collect(),
    })
}

/// The text as PostgreSQL can hold it: cut at the limit, without NUL.
fn storable(text: &str) -> String {
    let mut end = text.len().min(LINE_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].replace('\0', "\u{fffd}")
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = Timestamptz)]
    at: Db<Timestamp>,
    #[diesel(sql_type = Integer)]
    step: Db<u32>,
    #[diesel(sql_type = Text)]
    stream: Db<LogStream>,
    #[diesel(sql_type = Text)]
    text: String,
}

impl From<Row> for LogLine {
    fn from(row: Row) -> Self {
        let Row { seq: _, at, step, stream, text } = row;
        Self { at: at.0, step: step.0, stream: stream.0, text }
    }
}
