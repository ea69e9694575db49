//! A rehearsal beside a real worker.

use super::Users;
use crate::harness::World;

#[tokio::test]
async fn reaches_no_real_lane_and_no_real_api() {
    let world = World::new("beside-drill").await;
    let _worker = world.worker().start().await;
    let users = Users::seed(&world, 120).await;
    let list = users.write(&world);
    let before = world.sandbox.stats().await;
    let arguments = [
        "campaign",
        "start",
        list.to_str().unwrap(),
        "--campaign",
        "c1",
        "--reason",
        "policy",
        "--drill",
        "--json",
    ];
    let ended = world.worker().once(&arguments).await;
    assert_eq!(ended.code, 0, "{ended:?}");
    let told = ended.json();
    assert_eq!(
        (&told["proven"], &told["complete"]),
        (&120.into(), &true.into())
    );
    assert_eq!(told["parts"][0]["drill"], true);
    assert!(ended.err.contains("nobody is logged out"), "{}", ended.err);
    // Two sessions for each user in the pretend API of the drill's own.
    let said = "DRILL: the pretend API revoked 240 sessions";
    assert!(ended.err.contains(said), "{}", ended.err);

    assert_eq!(
        world.sandbox.stats().await["calls"],
        before["calls"],
        "the real API was called"
    );
    let found = world.sandbox.sessions().await;
    assert!(found.values().all(|session| session.revoke_calls == 0));
    let listed = world.worker().once(&["campaign", "list", "--json"]).await;
    assert_eq!(listed.out, "", "the real operator's stream has it");
}
