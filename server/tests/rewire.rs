//! Apply: the SQL does what the domain decides, once, and quickly.

use crate::support::builders::{World, on_branch, tracking};
use diesel_async::{AsyncConnection, RunQueryDsl};
use drover::{
    campaign::rewire::{Access, Existing, Rewiring, Wish, rewire as decide},
    changeset::{Filing, Intent, PullState, spec::ChangesetSpec},
    id::{CampaignId, CampaignSpecId, RepoId},
    view::{
        PAGE_ROWS_MAX,
        campaign::{ChangesetCounts, ChangesetFilter},
    },
};
use drover_server::store::{
    Conn, campaigns, changeset_rows,
    changesets::{self, Facts, Record},
    previews,
    rewire::{Changes, Rewired, rewire},
};
use std::{collections::BTreeSet, time::Instant};

async fn apply(world: &World, campaign: CampaignId, spec: CampaignSpecId) -> Rewired {
    rewire(&mut *world.db.conn().await, campaign, spec).await.unwrap()
}

fn changes(rewired: Rewired) -> Changes {
    match rewired {
        Rewired::Changed(changes) => changes,
        Rewired::Already | Rewired::Superseded => panic!("{rewired:?}"),
    }
}

async fn live(world: &World, campaign: CampaignId) -> Vec<Facts> {
    changesets::list_live(&mut *world.db.conn().await, campaign, 100).await.unwrap()
}

/// Carries the wish of every live changeset out, as the reconciler would.
async fn reconcile_all(world: &World, campaign: CampaignId) {
    let conn = &mut *world.db.conn().await;
    for facts in live(world, campaign).await {
        let record = match facts.desired.intent {
            Intent::Publish | Intent::Close => Record::Reached(facts.spec_id),
            Intent::Archive => Record::Archived,
            Intent::Detach => Record::Detached,
        };
        changesets::record(conn, facts.id, &record).await.unwrap();
    }
    world.db.run("DELETE FROM jobs").await;
}

#[tokio::test]
async fn the_same_spec_twice_writes_nothing() {
    let world = World::new().await;
    let repos = world.repos(&["acme/web", "acme/api"]).await;
    let wishes = [on_branch(&repos[0], "x", "Title"), tracking(&repos[1], 7)];
    let spec = world.spec("x", &wishes).await;
    let campaign = world.accept(spec).await;
    let first = changes(apply(&world, campaign, spec).await);
    assert_eq!(first, Changes { created: 2, ..Changes::default() });
    let state = "SELECT (SELECT sum(xmin::text::bigint) FROM changesets)
                      + (SELECT count(*) FROM jobs) + (SELECT count(*) FROM timeline)";
    let before = world.db.count(state).await;
    assert_eq!(apply(&world, campaign, spec).await, Rewired::Already);
    assert_eq!(world.db.count(state).await, before);
}

#[tokio::test]
async fn two_applies_at_once_make_each_changeset_once() {
    let world = World::new().await;
    let repos = world.repos(&["acme/web", "acme/api"]).await;
    let wishes = [on_branch(&repos[0], "x", "Title"), on_branch(&repos[1], "x", "Title")];
    let spec = world.spec("x", &wishes).await;
    let campaign = world.accept(spec).await;
    let (one, two) = tokio::join!(apply(&world, campaign, spec), apply(&world, campaign, spec));
    assert!([&one, &two].contains(&&Rewired::Already), "{one:?} {two:?}");
    assert_eq!(world.db.count("SELECT count(*) FROM changesets").await, 2);
    assert_eq!(world.db.count("SELECT count(*) FROM jobs").await, 2);
}

#[tokio::test]
async fn an_older_spec_gives_way_to_a_newer_one() {
    let world = World::new().await;
    let repos = world.repos(&["acme/web"]).await;
    let old = world.spec("x", &[on_branch(&repos[0], "x", "Old")]).await;
    let new = world.spec("x", &[on_branch(&repos[0], "x", "New")]).await;
    let campaign = world.accept(old).await;
    assert_eq!(world.accept(new).await, campaign);
    assert_eq!(apply(&world, campaign, old).await, Rewired::Superseded);
    assert_eq!(changes(apply(&world, campaign, new).await).created, 1);
}

#[tokio::test]
async fn the_same_wish_in_a_new_spec_queues_nothing() {
    let world = World::new().await;
    let repos = world.repos(&["acme/web"]).await;
    let old = world.spec("x", &[on_branch(&repos[0], "x", "Title")]).await;
    let campaign = world.accept(old).await;
    changes(apply(&world, campaign, old).await);
    reconcile_all(&world, campaign).await;
    let new = world.spec("x", &[on_branch(&repos[0], "x", "Title")]).await;
    world.accept(new).await;
    let unchanged = Changes { unchanged: 1, ..Changes::default() };
    assert_eq!(changes(apply(&world, campaign, new).await), unchanged);
    assert_eq!(world.db.count("SELECT count(*) FROM jobs").await, 0);
}

#[tokio::test]
async fn the_next_plan_starts_from_the_wish_that_was_reached() {
    let world = World::new().await;
    let repos = world.repos(&["acme/web"]).await;
    let wish = |title| [on_branch(&repos[0], "x", title)];
    let first = world.spec("x", &wish("1")).await;
    let campaign = world.accept(first).await;
    changes(apply(&world, campaign, first).await);
    reconcile_all(&world, campaign).await;
    for title in ["2", "3"] {
        let spec = world.spec("x", &wish(title)).await;
        world.accept(spec).await;
        changes(apply(&world, campaign, spec).await);
    }
    let facts = live(&world, campaign).await.pop().unwrap();
    assert_eq!(facts.previous, Some(wish("1")[0].1.clone()));
    assert_eq!(facts.spec, wish("3")[0].1);
}

/// One campaign with a changeset in every situation, and a spec that wants some of them.
#[tokio::test]
async fn the_sql_does_what_the_domain_decides() {
    let world = World::new().await;
    let names = ["a/keep", "a/update", "a/gone", "a/never", "a/track", "a/back", "a/merged"];
    let repos = world.repos(&[&names[..], &["a/new", "a/taken"]].concat()).await;
    let repo = |name: &str| repos.iter().find(|repo| repo.name.as_str() == name).unwrap();
    let wish = |name: &str, title| on_branch(repo(name), "x", title);
    let mut old: Vec<(RepoId, ChangesetSpec)> =
        names.into_iter().map(|name| wish(name, "old")).collect();
    old[4] = tracking(repo("a/track"), 7);
    let old = world.spec("x", &old).await;
    let campaign = world.accept(old).await;
    changes(apply(&world, campaign, old).await);
    for (name, state) in [
        ("a/gone", PullState::Open),
        ("a/back", PullState::Closed),
        ("a/merged", PullState::Merged),
    ] {
        let pull = world.pull(repo(name).id, 1, state).await;
        let facts = live(&world, campaign).await;
        let id = facts.iter().find(|it| it.repo == repo(name).id).unwrap().id;
        let conn = &mut *world.db.conn().await;
        changesets::record(conn, id, &Record::Pull(pull)).await.unwrap();
        if state != PullState::Open {
            let archive = changesets::Decision::Intent(Intent::Archive);
            changesets::decide(conn, id, &archive).await.unwrap();
        }
    }
    reconcile_all(&world, campaign).await;
    let other = world.spec("other", &[wish("a/taken", "theirs")]).await;
    let others = world.accept(other).await;
    changes(apply(&world, others, other).await);

    let before = all(&world, campaign).await;
    let new = [
        wish("a/keep", "old"),
        wish("a/update", "new"),
        wish("a/back", "new"),
        wish("a/merged", "new"),
        wish("a/new", "new"),
        wish("a/taken", "ours"),
    ];
    let new = world.spec("x", &new).await;
    world.accept(new).await;
    let decided = decide_about(&world, &before, new).await;
    assert_eq!(decided.len(), 9);
    let done = changes(apply(&world, campaign, new).await);
    let count = |is: fn(&Rewiring) -> bool| decided.iter().filter(|it| is(it)).count();
    assert_eq!(
        done,
        Changes {
            created: count(|it| matches!(it, Rewiring::Create { .. })),
            updated: count(|it| matches!(it, Rewiring::Update { .. } | Rewiring::Revive { .. })),
            unchanged: count(|it| matches!(it, Rewiring::Keep { .. })),
            archived: count(|it| matches!(it, Rewiring::Archive { .. })),
            detached: count(|it| matches!(it, Rewiring::Detach { .. })),
            taken: count(|it| matches!(it, Rewiring::Taken { .. })),
        }
    );
    let after = all(&world, campaign).await;
    for rewiring in decided {
        check(&rewiring, &after);
    }
}

/// Every changeset of a campaign, with those put aside.
async fn all(world: &World, campaign: CampaignId) -> Vec<Facts> {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Uuid)]
        id: uuid::Uuid,
    }
    let conn = &mut *world.db.conn().await;
    let rows: Vec<Row> = diesel::sql_query("SELECT id FROM changesets WHERE campaign_id = $1")
        .bind::<diesel::sql_types::Uuid, _>(campaign.0)
        .load(conn)
        .await
        .unwrap();
    let mut all = Vec::new();
    for Row { id } in rows {
        all.push(changesets::load(conn, drover::id::ChangesetId(id)).await.unwrap());
    }
    all
}

async fn decide_about(world: &World, before: &[Facts], spec: CampaignSpecId) -> Vec<Rewiring> {
    let conn = &mut *world.db.conn().await;
    let matched = previews::list_all(conn, spec, 100).await.unwrap();
    let wishes: Vec<Wish<'_>> =
        matched.iter().map(|it| Wish { id: it.spec_id, spec: &it.spec }).collect();
    let existing: Vec<Existing<'_>> = before
        .iter()
        .map(|it| Existing {
            id: it.id,
            spec: &it.spec,
            filing: it.filing,
            pull: match &it.observed {
                drover::changeset::Observed::Pull(pull) => Some(pull.state),
                drover::changeset::Observed::Unpublished { .. } => None,
            },
            access: Access::Readable,
        })
        .collect();
    let taken: BTreeSet<_> =
        matched.iter().filter(|it| it.taken_by.is_some()).map(|it| it.spec.target()).collect();
    decide(&wishes, &existing, &taken).unwrap()
}

fn check(rewiring: &Rewiring, after: &[Facts]) {
    let find = |id| after.iter().find(|it| it.id == id).unwrap();
    match rewiring {
        Rewiring::Create { spec } => {
            assert!(after.iter().any(|it| it.spec_id == *spec), "{rewiring:?}");
        }
        Rewiring::Keep { changeset } => {
            let facts = find(*changeset);
            assert_eq!(facts.previous.as_ref(), Some(&facts.spec), "{rewiring:?}");
        }
        Rewiring::Update { changeset, spec } | Rewiring::Revive { changeset, spec } => {
            let facts = find(*changeset);
            assert_eq!((facts.spec_id, facts.filing), (*spec, Filing::Active), "{rewiring:?}");
            assert_eq!(facts.desired.intent, Intent::Publish, "{rewiring:?}");
        }
        Rewiring::Archive { changeset } => {
            assert_eq!(find(*changeset).desired.intent, Intent::Archive);
        }
        Rewiring::Detach { changeset } => {
            assert_eq!(find(*changeset).desired.intent, Intent::Detach);
        }
        Rewiring::Taken { spec } => assert!(!after.iter().any(|it| it.spec_id == *spec)),
        Rewiring::Skip { .. } => panic!("no repository is hidden"),
    }
}

#[tokio::test]
async fn pages_of_a_campaign_hold_every_changeset_once() {
    let world = World::new().await;
    let (campaign, _) = many(&world, 450).await;
    let conn = &mut *world.db.conn().await;
    let mut filter = ChangesetFilter::default();
    let mut repos = Vec::new();
    loop {
        let page = changeset_rows::list(conn, campaign, &filter).await.unwrap();
        assert!(page.rows.len() <= PAGE_ROWS_MAX as usize);
        repos.extend(page.rows.into_iter().map(|row| row.repo));
        let Some(next) = page.next else { break };
        filter.after = Some(next);
    }
    assert_eq!(repos.len(), 450);
    assert!(repos.is_sorted_by(|a, b| a < b));
    let counts = campaigns::count_changesets(conn, &[campaign]).await.unwrap()[&campaign];
    assert_eq!(counts, ChangesetCounts { processing: 450, ..ChangesetCounts::default() });
}

/// Prints what apply costs: run it by name, in a release build, on an idle machine.
#[tokio::test]
#[ignore = "a measurement, not a test"]
async fn measure_apply_of_ten_thousand_rows() {
    let world = World::new().await;
    let (campaign, set_based) = many(&world, 10_000).await;
    let spec = wishes(&world, "x", 10_000, "New").await;
    world.accept(spec).await;
    let again = Instant::now();
    assert_eq!(changes(apply(&world, campaign, spec).await).updated, 10_000);
    let updated = again.elapsed();
    let one_by_one = insert_one_by_one(&world, 10_000).await;
    eprintln!(
        "apply of 10,000 rows: {set_based:?} new, {updated:?} updated; one by one {one_by_one:?}: \
         {:.1} times as long",
        one_by_one.as_secs_f64() / set_based.as_secs_f64()
    );
}

/// A campaign with so many changesets, and how long its apply took.
async fn many(world: &World, count: usize) -> (CampaignId, std::time::Duration) {
    let spec = wishes(world, "x", count, "Title").await;
    let campaign = world.accept(spec).await;
    let start = Instant::now();
    assert_eq!(changes(apply(world, campaign, spec).await).created, count);
    (campaign, start.elapsed())
}

/// A spec with one wish for each of so many repositories, made in SQL.
async fn wishes(world: &World, name: &str, count: usize, title: &str) -> CampaignSpecId {
    let template = world.repos(&["many/template"]).await;
    let (_, wish) = on_branch(&template[0], "x", title);
    let json = serde_json::to_string(&wish).unwrap();
    let spec = world.spec(name, &[]).await;
    let host = world.code_host;
    world
        .db
        .run(&format!(
            "INSERT INTO repositories (id, code_host_id, name, default_branch, archived, topics)
             SELECT gen_random_uuid(), '{host}', 'many/r' || lpad(n::text, 6, '0'), 'main',
                    false, '{{}}' FROM generate_series(1, {count}) n ON CONFLICT DO NOTHING;
             INSERT INTO changeset_specs (id, campaign_spec_id, repository_id, spec, diff, files,
                                          added, removed, expires_at)
             SELECT gen_random_uuid(), '{spec}', id, '{json}', 'diff', 1, 1, 1,
                    now() + interval '2 days' FROM repositories WHERE name LIKE 'many/r%';
             ANALYZE"
        ))
        .await;
    spec
}

/// The same rows of a changeset, its job and its timeline, one statement each.
async fn insert_one_by_one(world: &World, count: usize) -> std::time::Duration {
    let spec = wishes(world, "slow", count, "Slow").await;
    let campaign = world.accept(spec).await;
    world.db.run("UPDATE changesets SET intent = 'detach', detached_at = now()").await;
    let conn = &mut *world.db.conn().await;
    let specs = previews::list_all(conn, spec, 20_000).await.unwrap();
    let start = Instant::now();
    conn.transaction(async |conn: &mut Conn| {
        for it in &specs {
            one(conn, campaign, it).await?;
        }
        diesel::QueryResult::Ok(())
    })
    .await
    .unwrap();
    start.elapsed()
}

async fn one(
    conn: &mut Conn,
    campaign: CampaignId,
    wish: &previews::Matched,
) -> diesel::QueryResult<()> {
    use diesel::sql_types::{Text, Uuid as SqlUuid};
    let id = uuid::Uuid::new_v4();
    diesel::sql_query(
        "INSERT INTO changesets (id, campaign_id, repository_id, kind, branch, spec_id)
         VALUES ($1, $2, $3, 'branch', 'x', $4)",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<SqlUuid, _>(campaign.0)
    .bind::<SqlUuid, _>(wish.repo.0)
    .bind::<SqlUuid, _>(wish.spec_id.0)
    .execute(conn)
    .await?;
    diesel::sql_query(
        "INSERT INTO jobs (kind, payload, unique_key, attempts_max)
         VALUES ('reconcile', '{}', $1, 10)",
    )
    .bind::<Text, _>(format!("slow:{id}"))
    .execute(conn)
    .await?;
    diesel::sql_query(
        "INSERT INTO timeline (campaign_id, changeset_id, text) VALUES ($1, $2, 'made')",
    )
    .bind::<SqlUuid, _>(campaign.0)
    .bind::<SqlUuid, _>(id)
    .execute(conn)
    .await?;
    Ok(())
}
