//! Apply: the decided rows are written, once, and in few statements.

use crate::support::builders::{ALL, World, on_branch, tracking};
use drover::{
    changeset::{Filing, Intent, PullState, facts::Hold},
    id::{CampaignId, CampaignSpecId},
    view::{
        PAGE_ROWS_MAX,
        campaign::{ChangesetCounts, ChangesetFilter},
    },
};
use drover_server::store::{
    campaigns, changeset_rows,
    changesets::{self, Decision, Facts, Lock, Record},
    rewire::{Changes, Rewired, rewire},
};

async fn apply(world: &World, campaign: CampaignId, spec: CampaignSpecId) -> Rewired {
    rewire(&mut *world.db.conn().await, campaign, spec, ALL).await.unwrap()
}

fn changes(rewired: Rewired) -> Changes {
    match rewired {
        Rewired::Changed(changes) => changes,
        Rewired::Already | Rewired::Superseded => panic!("{rewired:?}"),
    }
}

async fn live(world: &World, campaign: CampaignId) -> Vec<Facts> {
    let conn = &mut *world.db.conn().await;
    let mut all = changesets::list_all(conn, campaign, Lock::None, 100).await.unwrap();
    all.retain(|facts| facts.filing == Filing::Active);
    all
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
async fn every_decided_row_is_written() {
    let world = World::new().await;
    let names = ["a/keep", "a/update", "a/gone", "a/never", "a/track", "a/back", "a/merged"];
    let repos = world.repos(&[&names[..], &["a/new", "a/taken"]].concat()).await;
    let repo = |name: &str| repos.iter().find(|repo| repo.name.as_str() == name).unwrap();
    let wish = |name: &str, title| on_branch(repo(name), "x", title);
    let mut old: Vec<_> = names.into_iter().map(|name| wish(name, "old")).collect();
    old[4] = tracking(repo("a/track"), 7);
    let old = world.spec("x", &old).await;
    let campaign = world.accept(old).await;
    assert_eq!(changes(apply(&world, campaign, old).await).created, 7);
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
            let archive = Decision::Intent(Intent::Archive);
            changesets::decide(conn, id, &archive).await.unwrap();
        }
    }
    reconcile_all(&world, campaign).await;
    let other = world.spec("other", &[wish("a/taken", "theirs")]).await;
    let others = world.accept(other).await;
    assert_eq!(changes(apply(&world, others, other).await).created, 1);

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
    let done = changes(apply(&world, campaign, new).await);
    let expected = Changes {
        created: 2,
        updated: 2,
        unchanged: 1,
        kept: 0,
        archived: 1,
        detached: 2,
        refused: 1,
    };
    assert_eq!(done, expected);
    let after = live(&world, campaign).await;
    let intents = |name: &str| {
        let of = |facts: &&Facts| facts.repo == repo(name).id;
        after.iter().filter(of).map(|facts| facts.desired.intent).collect::<Vec<_>>()
    };
    for name in ["a/keep", "a/update", "a/back", "a/merged", "a/new"] {
        assert_eq!(intents(name), [Intent::Publish], "{name}");
    }
    assert_eq!(intents("a/gone"), [Intent::Archive]);
    assert_eq!(
        (intents("a/never"), intents("a/track")),
        (vec![Intent::Detach], vec![Intent::Detach])
    );
    assert_eq!(intents("a/taken"), []);
    let said = "SELECT count(*) FROM left_out WHERE reason LIKE '%belongs to the campaign other%'";
    assert_eq!(world.db.count(said).await, 1);
}

#[tokio::test]
async fn without_a_result_not_a_column_of_a_changeset_is_written() {
    let world = World::new().await;
    let repos = world.repos(&["a/one", "a/two"]).await;
    let wish = |at: usize| on_branch(&repos[at], "x", "Title");
    let old = world.spec("x", &[wish(0), wish(1)]).await;
    let campaign = world.accept(old).await;
    assert_eq!(changes(apply(&world, campaign, old).await).created, 2);
    reconcile_all(&world, campaign).await;
    let new = world.spec("x", &[wish(0)]).await;
    world.fail_in(new, repos[1].id, "main", "step 1 exited with 3").await;
    world.accept(new).await;
    let id = repos[1].id;
    let row = format!("SELECT xmin::text::bigint FROM changesets WHERE repository_id = '{id}'");
    let before = world.db.count(&row).await;
    let done = changes(apply(&world, campaign, new).await);
    assert_eq!(done, Changes { unchanged: 1, kept: 1, ..Changes::default() });
    assert_eq!(world.db.count(&row).await, before);
    assert_eq!(world.db.count("SELECT count(*) FROM jobs").await, 0);
}

#[tokio::test]
async fn a_campaign_whose_pull_request_is_merged_gives_its_branch_away() {
    let world = World::new().await;
    let repos = world.repos(&["a/one"]).await;
    let first = world.spec("first", &[on_branch(&repos[0], "x", "Title")]).await;
    let firsts = world.accept(first).await;
    assert_eq!(changes(apply(&world, firsts, first).await).created, 1);
    let second = world.spec("second", &[on_branch(&repos[0], "x", "Other")]).await;
    let seconds = world.accept(second).await;
    assert_eq!(changes(apply(&world, seconds, second).await).refused, 1);

    let pull = world.pull(repos[0].id, 1, PullState::Merged).await;
    let id = live(&world, firsts).await[0].id;
    changesets::record(&mut *world.db.conn().await, id, &Record::Pull(pull)).await.unwrap();
    let third = world.spec("second", &[on_branch(&repos[0], "x", "Other")]).await;
    world.accept(third).await;
    assert_eq!(changes(apply(&world, seconds, third).await).created, 1);
    assert_eq!(live(&world, firsts).await[0].hold, Hold::Released);
    assert_eq!(world.db.count("SELECT count(*) FROM left_out").await, 0);
}

#[tokio::test]
async fn pages_of_a_campaign_hold_every_changeset_once() {
    let world = World::new().await;
    let campaign = many(&world, 450).await;
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

/// A campaign with so many changesets.
async fn many(world: &World, count: usize) -> CampaignId {
    let spec = wishes(world, "x", count, "Title").await;
    let campaign = world.accept(spec).await;
    assert_eq!(changes(apply(world, campaign, spec).await).created, count);
    campaign
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
