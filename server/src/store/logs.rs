//! What workspaces write while their steps run.
//!
//! A row is a chunk: the lines that came together, of both streams, each behind a character that
//! names its stream. The table grows like the text, however short the lines are. Readers count in
//! lines and know nothing of chunks.

use super::{
    Conn, StoreError,
    error::Found,
    schema::{log_chunks, workspaces},
    sql_types::{Db, integer},
};
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, QueryableByName,
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
/// A chunk ends with the line that reaches this, in bytes.
pub const CHUNK_BYTES: usize = 64 * 1024;

/// Lines to be stored, with breaks between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLines {
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
    lines: &[NewLines],
) -> Result<(), StoreError> {
    let chunks = chunks(lines);
    let steps: Vec<i32> = chunks.iter().map(|chunk| integer(chunk.step)).collect();
    let counts: Vec<i32> = chunks.iter().map(|chunk| integer(chunk.lines)).collect();
    let texts: Vec<&str> = chunks.iter().map(|chunk| chunk.text.as_str()).collect();
    diesel::sql_query(
        "WITH last AS (
             SELECT coalesce((
                 SELECT line + lines FROM log_chunks
                 WHERE workspace_id = $1 ORDER BY line DESC LIMIT 1), 0) AS line
         ), added AS (
             INSERT INTO log_chunks (workspace_id, line, lines, step, text)
             SELECT $1, last.line + sum(lines) OVER (ORDER BY position) - lines, lines, step, text
             FROM last, unnest($2, $3, $4) WITH ORDINALITY AS it (step, lines, text, position)
         )
         SELECT pg_notify('drover', 'workspace:' || $1)",
    )
    .bind::<SqlUuid, _>(workspace.0)
    .bind::<Array<Integer>, _>(steps)
    .bind::<Array<Integer>, _>(counts)
    .bind::<Array<Text>, _>(texts)
    .execute(conn)
    .await?;
    Ok(())
}

/// Reads the lines behind the first `after`; 0 reads from the start.
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
    let after = after.clamp(0, i64::MAX - i64::from(LINES_MAX));
    // The chunk that holds the first line wanted, and those behind it: each has a line at least.
    let rows: Vec<Row> = diesel::sql_query(
        "SELECT line, at, step, text FROM log_chunks
         WHERE workspace_id = $1 AND line >= coalesce((
             SELECT line FROM log_chunks WHERE workspace_id = $1 AND line <= $2
             ORDER BY line DESC LIMIT 1), 0)
           AND line < $2 + $3
         ORDER BY line LIMIT $3",
    )
    .bind::<SqlUuid, _>(workspace.0)
    .bind::<BigInt, _>(after)
    .bind::<BigInt, _>(i64::from(LINES_MAX))
    .load(conn)
    .await?;
    let numbered = rows.iter().flat_map(|row| (row.line + 1..).zip(row.lines()));
    let (numbers, lines): (Vec<i64>, Vec<LogLine>) =
        numbered.filter(|(number, _)| *number > after).take(LINES_MAX as usize).unzip();
    let full = lines.len() == LINES_MAX as usize;
    Ok(LogPage {
        next: numbers.last().copied().unwrap_or(after),
        open: full || finished_at.is_none(),
        lines,
    })
}

/// The last line of a log.
pub async fn last_line(
    conn: &mut Conn,
    workspace: WorkspaceId,
) -> Result<Option<String>, StoreError> {
    let text: Option<String> = log_chunks::table
        .filter(log_chunks::workspace_id.eq(workspace.0))
        .order(log_chunks::line.desc())
        .select(log_chunks::text)
        .first(conn)
        .await
        .optional()?;
    Ok(text.map(|text| unmarked(text.rsplit('\n').next().unwrap_or_default()).1.to_owned()))
}

struct Chunk {
    step: u32,
    lines: u32,
    text: String,
}

/// Puts lines together as long as they belong to one step and are not too many.
fn chunks(lines: &[NewLines]) -> Vec<Chunk> {
    let mut chunks = Vec::<Chunk>::new();
    for NewLines { step, stream, text } in lines {
        for line in text.split('\n') {
            let line = storable(line);
            match chunks.last_mut() {
                Some(chunk) if chunk.step == *step && chunk.text.len() < CHUNK_BYTES => {
                    chunk.lines += 1;
                    chunk.text.push('\n');
                    chunk.text.push(mark(*stream));
                    chunk.text.push_str(&line);
                }
                Some(_) | None => {
                    let text = format!("{}{line}", mark(*stream));
                    chunks.push(Chunk { step: *step, lines: 1, text });
                }
            }
        }
    }
    chunks
}

fn mark(stream: LogStream) -> char {
    match stream {
        LogStream::Drover => 'd',
        LogStream::Stdout => 'o',
        LogStream::Stderr => 'e',
    }
}

/// A line of a chunk, with its stream.
fn unmarked(line: &str) -> (LogStream, &str) {
    let streams = [LogStream::Drover, LogStream::Stdout, LogStream::Stderr];
    let found = streams.into_iter().find_map(|it| Some((it, line.strip_prefix(mark(it))?)));
    found.unwrap_or((LogStream::Drover, line))
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
    line: i64,
    #[diesel(sql_type = Timestamptz)]
    at: Db<Timestamp>,
    #[diesel(sql_type = Integer)]
    step: Db<u32>,
    #[diesel(sql_type = Text)]
    text: String,
}

impl Row {
    fn lines(&self) -> impl Iterator<Item = LogLine> {
        self.text.split('\n').map(|line| {
            let (stream, text) = unmarked(line);
            LogLine { at: self.at.0, step: self.step.0, stream, text: text.to_owned() }
        })
    }
}
