//! Logs are chunks: the table grows like the text, and readers count in lines.

use crate::support::builders::World;
use drover::{
    id::{ExecutionId, WorkspaceId},
    view::execution::{LogLine, LogStream},
};
use drover_server::store::{
    executions,
    logs::{self, NewLines},
    workspaces::{self, NewWorkspace},
};
use uuid::Uuid;

async fn with_workspace() -> (World, WorkspaceId) {
    let world = World::new().await;
    let repos = world.repos(&["acme/web"]).await;
    let spec = world.bare_spec("x").await;
    let conn = &mut *world.db.conn().await;
    let (execution, id) = (ExecutionId(Uuid::new_v4()), WorkspaceId(Uuid::new_v4()));
    executions::insert(conn, execution, spec).await.unwrap();
    let branch = "main".parse().unwrap();
    let new = NewWorkspace { id, repo: repos[0].id, branch, base_commit: None };
    workspaces::insert(conn, execution, 1, &[new]).await.unwrap();
    (world, id)
}

fn lines(step: u32, stream: LogStream, text: impl Into<String>) -> NewLines {
    NewLines { step, stream, text: text.into() }
}

async fn read_all(world: &World, id: WorkspaceId) -> Vec<LogLine> {
    let (conn, mut all, mut after) = (&mut *world.db.conn().await, Vec::new(), 0);
    loop {
        let page = logs::read(conn, id, after).await.unwrap();
        if page.lines.is_empty() {
            return all;
        }
        assert_eq!(page.next, after + page.lines.len() as i64);
        assert!(page.lines.len() <= logs::LINES_MAX as usize);
        (after, all) = (page.next, [all, page.lines].concat());
    }
}

#[tokio::test]
async fn short_lines_become_few_rows_and_are_read_as_they_were_written() {
    let (world, id) = with_workspace().await;
    let conn = &mut *world.db.conn().await;
    let mut expected = Vec::new();
    for round in 0..20 {
        // Streams that take turns at every line.
        let some: Vec<NewLines> = (0..5_000)
            .map(|line| match line % 2 {
                0 => lines(1, LogStream::Stdout, "y"),
                _ => lines(1, LogStream::Stderr, format!("{round} {line}")),
            })
            .collect();
        logs::append(conn, id, &some).await.unwrap();
        expected.extend(some.into_iter().map(|it| (it.stream, it.text)));
    }
    let text: usize = expected.iter().map(|(_, text)| text.len() + 2).sum();
    let rows = world.db.count("SELECT count(*) FROM log_chunks").await;
    assert!(rows <= 20, "{rows} rows for {text} bytes");
    let size = world.db.count("SELECT pg_total_relation_size('log_chunks')").await;
    assert!(size < text as i64 + 200_000, "{size} bytes of table for {text} bytes of text");
    let read: Vec<_> =
        read_all(&world, id).await.into_iter().map(|it| (it.stream, it.text)).collect();
    assert!(read == expected, "{} of {} lines", read.len(), expected.len());
}

#[tokio::test]
async fn lines_keep_their_order_their_step_and_their_breaks() {
    let (world, id) = with_workspace().await;
    let conn = &mut *world.db.conn().await;
    let long = "x".repeat(logs::LINE_BYTES_MAX + 1);
    let first = [
        lines(1, LogStream::Stdout, "a\n\nodd"),
        lines(1, LogStream::Stderr, ""),
        lines(2, LogStream::Stdout, long.clone()),
        lines(0, LogStream::Drover, "why:\nbecause"),
    ];
    logs::append(conn, id, &first).await.unwrap();
    logs::append(conn, id, &[lines(2, LogStream::Stdout, "b")]).await.unwrap();
    let read = read_all(&world, id).await;
    let seen: Vec<(u32, LogStream, &str)> =
        read.iter().map(|it| (it.step, it.stream, it.text.as_str())).collect();
    let (out, err, own) = (LogStream::Stdout, LogStream::Stderr, LogStream::Drover);
    assert_eq!(
        seen,
        [
            (1, out, "a"),
            (1, out, ""),
            (1, out, "odd"),
            (1, err, ""),
            (2, out, &long[1..]),
            (0, own, "why:"),
            (0, own, "because"),
            (2, out, "b"),
        ]
    );
    assert_eq!(logs::last_line(conn, id).await.unwrap().as_deref(), Some("b"));
    assert_eq!(logs::read(conn, id, 6).await.unwrap().lines.len(), 2);
}
