//! Code hosts and the pace at which they may be written to.

use super::{Conn, StoreError, error::Found, schema::code_hosts, sql_types::Db};
use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use drover::id::CodeHostId;

/// The code hosts of one server, at most.
const CODE_HOSTS_MAX: i64 = 100;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeHost {
    pub id: CodeHostId,
    pub kind: CodeHostKind,
    pub api_url: String,
    /// What a repository's name is appended to for git.
    pub git_url: String,
    /// What a repository's name is appended to for people.
    pub web_url: String,
    pub limits: WriteLimits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeHostKind {
    GitHub,
}

/// How fast one credential may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteLimits {
    pub per_minute: i32,
    pub per_hour: i32,
    /// Between two writes.
    pub gap_millis: i32,
}

type Row = (Db<CodeHostId>, String, String, String, i32, i32, i32);
type Columns = (
    code_hosts::id,
    code_hosts::api_url,
    code_hosts::git_url,
    code_hosts::web_url,
    code_hosts::writes_per_minute,
    code_hosts::writes_per_hour,
    code_hosts::write_gap_millis,
);
const COLUMNS: Columns = (
    code_hosts::id,
    code_hosts::api_url,
    code_hosts::git_url,
    code_hosts::web_url,
    code_hosts::writes_per_minute,
    code_hosts::writes_per_hour,
    code_hosts::write_gap_millis,
);

fn from_row(
    (Db(id), api_url, git_url, web_url, per_minute, per_hour, gap_millis): Row,
) -> CodeHost {
    // The schema knows one kind, and so does this row.
    let kind = CodeHostKind::GitHub;
    let limits = WriteLimits { per_minute, per_hour, gap_millis };
    CodeHost { id, kind, api_url, git_url, web_url, limits }
}

/// Inserts a code host, or brings the one with the same API address up to date.
pub async fn upsert(conn: &mut Conn, host: &CodeHost) -> Result<CodeHostId, StoreError> {
    let CodeHost { id, kind, api_url, git_url, web_url, limits } = host;
    let kind = match kind {
        CodeHostKind::GitHub => "github",
    };
    let changeable = (
        code_hosts::git_url.eq(git_url),
        code_hosts::web_url.eq(web_url),
        code_hosts::writes_per_minute.eq(limits.per_minute),
        code_hosts::writes_per_hour.eq(limits.per_hour),
        code_hosts::write_gap_millis.eq(limits.gap_millis),
    );
    let Db(id) = diesel::insert_into(code_hosts::table)
        .values((
            code_hosts::id.eq(id.0),
            code_hosts::kind.eq(kind),
            code_hosts::api_url.eq(api_url),
            changeable,
        ))
        .on_conflict(code_hosts::api_url)
        .do_update()
        .set(changeable)
        .returning(code_hosts::id)
        .get_result::<Db<CodeHostId>>(conn)
        .await?;
    Ok(id)
}

/// Notes that a code host is at another address now.
pub async fn relocate(
    conn: &mut Conn,
    id: CodeHostId,
    CodeHost { id: _, kind: _, api_url, git_url, web_url, limits: _ }: &CodeHost,
) -> Result<(), StoreError> {
    diesel::update(code_hosts::table.find(id.0))
        .set((
            code_hosts::api_url.eq(api_url),
            code_hosts::git_url.eq(git_url),
            code_hosts::web_url.eq(web_url),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn load(conn: &mut Conn, id: CodeHostId) -> Result<CodeHost, StoreError> {
    code_hosts::table
        .find(id.0)
        .select(COLUMNS)
        .first::<Row>(conn)
        .await
        .map(from_row)
        .found("code host")
}

/// Lists all code hosts, the oldest first.
pub async fn list(conn: &mut Conn) -> Result<Vec<CodeHost>, StoreError> {
    let rows: Vec<Row> = code_hosts::table
        .order((code_hosts::created_at, code_hosts::id))
        .limit(CODE_HOSTS_MAX)
        .select(COLUMNS)
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(from_row).collect())
}
