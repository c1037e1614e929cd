//! How domain values stand in columns.
//!
//! The domain knows no database and Rust lets nobody implement a foreign trait for a foreign
//! type, so rows read their columns as [`Db`] of the domain type. Text that is no valid value
//! is an error of the row that holds it and never a guess.

use chrono::{DateTime, Utc};
use diesel::{
    deserialize::{self, FromSql, FromSqlRow},
    pg::{Pg, PgValue},
    sql_types::{BigInt, Integer, Jsonb, Text, Timestamptz, Uuid as SqlUuid},
};
use drover::{
    changeset::{
        Closer, DriftChoice, Intent, Publication, PullState, Reopen, spec::ChangesetSpec,
        status::ChangesetStatus,
    },
    id::{
        CampaignId, CampaignSpecId, ChangesetId, ChangesetSpecId, CodeHostId, CredentialId,
        DraftId, ExecutionId, JobId, NamespaceId, OrganisationId, PullId, RepoId, UserId,
        WorkspaceId,
    },
    names::{BranchName, CampaignName, CommitSha, NamespaceName, PullNumber, RepoName},
    time::Timestamp,
    view::execution::LogStream,
    viewer::Role,
};
use uuid::Uuid;

/// A domain value as it is read from a column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, FromSqlRow)]
pub(crate) struct Db<T>(pub(crate) T);

macro_rules! ids {
    ($($id:ident),* $(,)?) => {$(
        impl FromSql<SqlUuid, Pg> for Db<$id> {
            fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
                <Uuid as FromSql<SqlUuid, Pg>>::from_sql(bytes).map(|id| Self($id(id)))
            }
        }
    )*};
}

ids! {
    CampaignId, CampaignSpecId, ChangesetId, ChangesetSpecId, CodeHostId, CredentialId, DraftId,
    ExecutionId, JobId, NamespaceId, OrganisationId, PullId, RepoId, UserId, WorkspaceId,
}

macro_rules! names {
    ($($name:ident),* $(,)?) => {$(
        impl FromSql<Text, Pg> for Db<$name> {
            fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
                Ok(Self(<String as FromSql<Text, Pg>>::from_sql(bytes)?.try_into()?))
            }
        }
    )*};
}

names! { BranchName, CampaignName, CommitSha, NamespaceName, RepoName }

/// An enum that is stored as a word.
pub(crate) trait Word {
    fn word(&self) -> &'static str;
}

/// A stored word that the code does not know.
#[derive(Debug, thiserror::Error)]
#[error("`{word}` is no {kind}")]
struct UnknownWord {
    word: String,
    kind: &'static str,
}

macro_rules! words {
    ($($kind:ident { $($variant:ident = $word:literal),* $(,)? })*) => {$(
        impl Word for $kind {
            fn word(&self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl FromSql<Text, Pg> for Db<$kind> {
            fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
                match <String as FromSql<Text, Pg>>::from_sql(bytes)?.as_str() {
                    $($word => Ok(Self($kind::$variant)),)*
                    word => Err(UnknownWord { word: word.to_owned(), kind: stringify!($kind) }.into()),
                }
            }
        }
    )*};
}

words! {
    Role { Member = "member", Admin = "admin" }
    Intent { Publish = "publish", Close = "close", Archive = "archive", Detach = "detach" }
    Publication { Unpublished = "unpublished", Draft = "draft", Published = "published" }
    Closer { Drover = "drover", Person = "person" }
    Reopen { NotAsked = "not_asked", Asked = "asked" }
    PullState {
        Draft = "draft",
        Open = "open",
        Closed = "closed",
        Merged = "merged",
        Deleted = "deleted",
        ReadOnly = "read_only",
    }
    ChangesetStatus {
        Unpublished = "unpublished",
        Queued = "queued",
        Processing = "processing",
        Retrying = "retrying",
        Failed = "failed",
        Drift = "drift",
        Draft = "draft",
        Open = "open",
        Merged = "merged",
        Closed = "closed",
        Deleted = "deleted",
        ReadOnly = "read_only",
        Archived = "archived",
    }
    LogStream { Drover = "drover", Stdout = "stdout", Stderr = "stderr" }
}

/// Declares an enum of the words of one column, private to the file that reads it.
macro_rules! word_enum {
    ($kind:ident { $($variant:ident = $word:literal),* $(,)? }) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, diesel::deserialize::FromSqlRow)]
        pub(super) enum $kind { $($variant),* }

        impl diesel::deserialize::FromSql<diesel::sql_types::Text, diesel::pg::Pg> for $kind {
            fn from_sql(bytes: diesel::pg::PgValue<'_>) -> diesel::deserialize::Result<Self> {
                let word = <String as diesel::deserialize::FromSql<
                    diesel::sql_types::Text,
                    diesel::pg::Pg,
                >>::from_sql(bytes)?;
                match word.as_str() {
                    $($word => Ok(Self::$variant),)*
                    _ => Err($crate::store::sql_types::unknown_word(word, stringify!($kind))),
                }
            }
        }
    };
}
pub(crate) use word_enum;

pub(crate) fn unknown_word(
    word: String,
    kind: &'static str,
) -> Box<dyn std::error::Error + Send + Sync> {
    UnknownWord { word, kind }.into()
}

impl FromSql<Timestamptz, Pg> for Db<Timestamp> {
    fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
        let at = <DateTime<Utc> as FromSql<Timestamptz, Pg>>::from_sql(bytes)?;
        Ok(Self(Timestamp(at.timestamp_millis())))
    }
}

impl FromSql<Integer, Pg> for Db<u32> {
    fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(<i32 as FromSql<Integer, Pg>>::from_sql(bytes)?.try_into()?))
    }
}

impl FromSql<BigInt, Pg> for Db<PullNumber> {
    fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
        <i64 as FromSql<BigInt, Pg>>::from_sql(bytes).map(|number| Self(PullNumber(number)))
    }
}

impl FromSql<Jsonb, Pg> for Db<ChangesetSpec> {
    fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
        let value = <serde_json::Value as FromSql<Jsonb, Pg>>::from_sql(bytes)?;
        Ok(Self(serde_json::from_value(value)?))
    }
}

/// A time as a bind; times beyond what the database can hold become its last one.
pub(crate) fn timestamptz(at: Timestamp) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at.0).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// A count as a bind; the database's integers end at half of ours.
pub(crate) fn integer(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// A choice about drift as its two columns.
pub(crate) fn drift_columns(choice: &DriftChoice) -> (&'static str, Option<&str>) {
    match choice {
        DriftChoice::Wait => ("wait", None),
        DriftChoice::Adopt { head } => ("adopt", Some(head.as_str())),
        DriftChoice::Overwrite { head } => ("overwrite", Some(head.as_str())),
    }
}
