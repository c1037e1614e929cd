use crate::support::{ANNA, REPO, World, eventually};
use axum::{Router, body::Bytes, http::HeaderMap, routing::post};
use github_stand_in::{DeliveryFault, DeliveryRule, Outcome};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::sync::{Arc, Mutex};

const SECRET: &str = "secret";

/// What a receiver got, in order.
#[derive(Clone, Default)]
struct Inbox(Arc<Mutex<Vec<(HeaderMap, Value)>>>);

impl Inbox {
    /// Listens, and returns the address for the hook.
    async fn open(&self) -> String {
        let inbox = self.clone();
        let receive = move |headers: HeaderMap, body: Bytes| async move {
            let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
            mac.update(&body);
            let expected = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
            assert_eq!(headers["x-hub-signature-256"], expected.as_str());
            let payload = serde_json::from_slice(&body).unwrap();
            inbox.0.lock().unwrap().push((headers, payload));
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", post(receive));
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}/")
    }

    fn events(&self) -> Vec<String> {
        let got = self.0.lock().unwrap();
        got.iter()
            .map(|(headers, payload)| {
                let event = headers["x-github-event"].to_str().unwrap();
                let action = payload["action"].as_str().unwrap_or_default();
                format!("{event} {action}").trim().to_owned()
            })
            .collect()
    }

    async fn expect(&self, expected: &[&str]) {
        eventually(|| async { (self.events() == expected).then_some(()) }).await;
    }
}

async fn hooked() -> (World, Inbox, String) {
    let (world, inbox) = (World::shop().await, Inbox::default());
    let config = json!({ "url": inbox.open().await, "content_type": "json", "secret": SECRET });
    let hooks = format!("/repos/{REPO}/hooks");
    let wish = json!({ "config": config, "events": ["push", "pull_request"] });
    let made = world.post(&hooks, ANNA, wish.clone()).await.is(201);
    assert_eq!(made.body["config"]["secret"], "********");
    world.post(&hooks, ANNA, wish).await.is(422);
    inbox.expect(&["ping"]).await;
    (world, inbox, format!("{hooks}/{}", made.body["id"]))
}

#[tokio::test]
async fn a_hook_hears_what_happens_to_branches_and_pull_requests() {
    let (world, inbox, hook) = hooked().await;
    let number = world.open_pull().await;
    let head = world.push("fix", "more", "more\n").await;
    world.control().merge_pull(REPO, number, "anna").await.unwrap();
    inbox
        .expect(&[
            "ping",
            "pull_request opened",
            "push",
            "pull_request synchronize",
            "pull_request closed",
            "push",
        ])
        .await;
    {
        let got = inbox.0.lock().unwrap();
        assert_eq!(got[3].1["after"], head.as_str());
        assert_eq!(got[4].1["pull_request"]["merged"], true);
        assert_eq!(got[2].1["commits"][0]["added"], json!(["more"]));
        assert!(got[2].0.contains_key("x-github-delivery"));
    }
    world.send(reqwest::Method::DELETE, &hook, ANNA, json!({})).await.is(204);
    world.push("fix", "again", "again\n").await;
    assert_eq!(inbox.events().len(), 6);
    world.conforms();
}

#[tokio::test]
async fn deliveries_are_lost_doubled_and_reordered_on_order() {
    let (world, inbox, _) = hooked().await;
    let order = |event: &str, fault| {
        let event = Some(event.to_owned());
        world.control().delivery_fault(DeliveryRule { event, times: 1, fault });
    };
    order("push", DeliveryFault::Lost);
    world.push("a", "x", "1\n").await;
    order("push", DeliveryFault::Doubled);
    world.push("b", "x", "2\n").await;
    order("push", DeliveryFault::Reordered);
    world.push("c", "x", "3\n").await;
    world.open_pull().await;
    inbox.expect(&["ping", "push", "push", "pull_request opened", "push"]).await;
    let got = inbox.0.lock().unwrap().clone();
    assert_eq!(got[1].0["x-github-delivery"], got[2].0["x-github-delivery"]);
    assert_eq!(got[4].1["ref"], "refs/heads/c");
    let outcomes = world.control().deliveries();
    assert!(outcomes.iter().any(|delivery| delivery.outcome == Outcome::Lost));
}
