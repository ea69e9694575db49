//! The checker's own test: mistakes in expressions that it must find by Prometheus's answers.

use serde_json::Value;

use super::Scene;
use crate::expressions::panels::Asked;

impl Scene {
    /// Prometheus's answers alone, without what the catalogue knows, show each of these.
    pub(super) async fn faults_are_found(&self) {
        let cases = [
            (
                "Still alive?",
                "revoker_inflight_events",
                "revoker_in_hand",
                "nothing is revoker_in_hand",
            ),
            ("Workers up?", "up{job", "up{jbo", "nothing is up{jbo"),
            (
                "What does Stytch answer?",
                "by (result)",
                "by (resutl)",
                "no result for the legend",
            ),
            (
                "Still alive?",
                "sum(max",
                "sum((max",
                "Prometheus refuses it",
            ),
            ("Still alive?", "$job", "$jbo", "no variable is called $jbo"),
        ];
        for (title, from, to, says) in cases {
            let is_it = |(_, asked): &(&Value, Asked)| asked.at.contains(&format!(": {title} A"));
            let (dashboard, mut asked) = self.asked().find(is_it).expect(title);
            assert!(asked.expr.contains(from), "{title} has no {from}");
            asked.expr = asked.expr.replacen(from, to, 1);
            let found = self.judge(dashboard, &asked).await.join("; ");
            assert!(found.contains(says), "{title}, {to}: {found}");
        }
    }
}
