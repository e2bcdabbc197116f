use jsonwebtoken::Algorithm;

use super::api_keys::new_key;
use super::signer::{path, token};
use super::*;

/// Plans and access lists, for users by key and by token.
fn serve(options: Options, keys: &str) -> Tollgate {
    let key_file = path("rsa-public.test.pem");
    options
        .config(&format!(
            "[auth.keys]\n{keys}\n\
             [auth.jwt]\nkey_file = {key_file:?}\nalgorithms = [\"RS256\"]\naudience = [\"api\"]\n\
             plan_claim = \"plan\"\n\
             [policies.default.plans]\npro = \"20/52 weeks\"\n\
             [access]\nallow = [\"user:staff\"]\nblock = [\"user:mallory\"]"
        ))
        .serve()
}

fn of(user: &str, plan: &str) -> String {
    token(Algorithm::RS256, &json!({ "sub": user, "plan": plan }))
}

#[test]
fn the_plan_of_a_key_and_of_a_token_is_its_quota() {
    let (key, line) = new_key(&["--user", "ann", "--plan", "pro"]);
    on_each_store(|options| {
        let mut tollgate = serve(options, &line);
        assert_eq!(remaining(&bearer(&tollgate, &key)), 19, "of a key");
        assert_eq!(remaining(&bearer(&tollgate, &of("bob", "pro"))), 19, "of a token");
        assert_eq!(remaining(&bearer(&tollgate, &of("ann", "pro"))), 18, "one user by both");
        // A plan that nobody knows is none, and is told of once.
        assert_eq!(remaining(&bearer(&tollgate, &of("eve", "gold"))), 9);
        assert_eq!(remaining(&bearer(&tollgate, &of("eve", "gold"))), 8);
        let lines = tollgate.stderr();
        let told = lines.iter().filter(|line| line.contains("WARN") && line.contains("gold"));
        assert_eq!(told.count(), 1, "{lines:?}");
    });
}

#[test]
fn access_lists_hold_for_users_who_are_authenticated_and_for_nobody_who_is_not() {
    on_each_store(|options| {
        let tollgate = serve(options, "");
        assert_eq!(bearer(&tollgate, &of("mallory", "pro")).status, 403);
        for _ in 0..12 {
            let passed = bearer(&tollgate, &of("staff", "pro"));
            assert_eq!((passed.status, passed.header("ratelimit")), (200, None));
        }
        assert_eq!(remaining(&tollgate.get("/api/data", &[])), 9, "nobody");
        assert_refused(&bearer(&tollgate, "staff"), "a name is no token");
    });
}
