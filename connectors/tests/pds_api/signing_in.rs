//! Tokens: asked for with a signature, kept while they hold, replaced when they do not.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use concord_connectors::next_step::NextStep;
use concord_connectors::pds::api::{ApiTime, Credentials, PdsApiSettings, PdsClient, PdsProblem};
use concord_connectors::secret::Secret;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;

use crate::people::{NUMBER, one_person, outcome};
use crate::server::Fault;
use crate::stand::{APP_KEY, KEY_ID, public_key, stand, stand_with};
use crate::time::{START_SECOND, VirtualTime};

#[test]
fn the_request_for_a_token_is_signed_with_the_key_and_says_who_asks() {
    let stand = stand(&one_person());
    stand.client.look_up(NUMBER, "job-1").unwrap();
    let request = stand.server.token_requests().remove(0);
    assert_eq!(
        (request.method.as_str(), request.headers["content-type"].as_str()),
        ("POST", "application/x-www-form-urlencoded")
    );
    let form: Vec<(&str, &str)> = request.body.split('&').map(|pair| pair.split_once('=').unwrap()).collect();
    assert_eq!(form[0], ("grant_type", "client_credentials"));
    assert_eq!(form[1], ("client_assertion_type", "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"));
    let ("client_assertion", assertion) = form[2] else { panic!("{form:?}") };

    let (modulus, exponent) = public_key();
    let mut validation = Validation::new(Algorithm::RS512);
    let audience = format!("{}/oauth2/token", stand.server.url());
    validation.set_audience(&[&audience]);
    // The time of the test is not that of the machine.
    validation.validate_exp = false;
    let key = DecodingKey::from_rsa_raw_components(&modulus, &exponent);
    let verified = jsonwebtoken::decode::<Value>(assertion, &key, &validation).unwrap();
    assert_eq!(verified.header.kid.as_deref(), Some(KEY_ID));
    assert_eq!((&verified.claims["sub"], &verified.claims["iss"]), (&APP_KEY.into(), &APP_KEY.into()));
    assert_eq!(verified.claims["exp"], START_SECOND + 300);
    assert_eq!(verified.claims["jti"].as_str().unwrap().len(), 36);
}

#[test]
fn a_token_is_asked_for_once_until_shortly_before_it_ends() {
    let stand = stand_with(&one_person(), 600, |settings| settings.rate_per_second = 1000.0);
    for _ in 0..5 {
        stand.client.look_up(NUMBER, "job-1").unwrap();
    }
    assert_eq!(stand.server.token_requests().len(), 1);
    stand.time.advance(Duration::from_secs(560));
    stand.client.look_up(NUMBER, "job-1").unwrap();
    assert_eq!(stand.server.token_requests().len(), 1);
    stand.time.advance(Duration::from_secs(20));
    for _ in 0..5 {
        stand.client.look_up(NUMBER, "job-1").unwrap();
    }
    assert_eq!(stand.server.token_requests().len(), 2);
    assert!(stand.server.look_ups().iter().all(|seen| seen.headers.contains_key("authorization")));
}

#[test]
fn threads_that_need_a_token_at_the_same_time_share_one_request_for_it() {
    let stand = stand_with(&one_person(), 600, |settings| settings.burst = 100);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| stand.client.look_up(NUMBER, "job-1").unwrap());
        }
    });
    assert_eq!((stand.server.token_requests().len(), stand.server.look_ups().len()), (1, 8));
}

#[test]
fn a_token_that_pds_calls_expired_is_replaced_and_the_look_up_goes_on() {
    let stand = stand(&one_person());
    stand.client.look_up(NUMBER, "job-1").unwrap();
    stand.server.fail([Fault::Answer(401, outcome("ACCESS_DENIED", "Access Token expired"), None)]);
    stand.client.look_up(NUMBER, "job-1").unwrap();
    assert_eq!((stand.server.token_requests().len(), stand.server.look_ups().len()), (2, 3));
}

#[test]
fn a_pds_that_refuses_a_new_token_too_waits_for_an_operator() {
    let stand = stand(&one_person());
    stand.server.fail_on(Some(Fault::Answer(401, outcome("ACCESS_DENIED", "Invalid Access Token"), None)));
    let error = stand.client.look_up(NUMBER, "job-1").unwrap_err();
    assert_eq!((error.problem, error.next_step()), (PdsProblem::NotAllowed, NextStep::WaitForOperator));
    assert_eq!((stand.server.token_requests().len(), stand.server.look_ups().len()), (2, 2));
}

#[test]
fn a_token_service_that_is_away_is_an_outage_and_one_that_refuses_is_not() {
    let refused = r#"{"error": "invalid_client", "error_description": "Wren"}"#;
    let table = [
        (503, "<html>", PdsProblem::Busy),
        (429, "", PdsProblem::Busy),
        (404, "<html>", PdsProblem::NotUnderstood),
        (200, "<html>", PdsProblem::NotUnderstood),
        (200, r#"{"access_token": "t", "expires_in": "soon"}"#, PdsProblem::NotUnderstood),
        (400, refused, PdsProblem::NotAllowed),
        (401, refused, PdsProblem::NotAllowed),
    ];
    for (status, body, problem) in table {
        let stand = stand(&one_person());
        let fault = Fault::Answer(status, body.to_owned(), None);
        stand.server.state.token_faults.lock().unwrap().extend(vec![fault; 4]);
        let error = stand.client.look_up(NUMBER, "job-1").unwrap_err();
        assert_eq!(error.problem, problem, "{status} {body}");
        assert!(!error.to_string().contains("Wren"), "{error}");
        // Whatever it was, the next one goes.
        stand.server.state.token_faults.lock().unwrap().clear();
        assert!(stand.client.look_up(NUMBER, "job-1").is_ok(), "{status} {body}");
    }
}

#[test]
fn the_time_of_a_token_counts_from_the_request_for_it_and_not_from_a_slow_answer() {
    let stand = stand(&one_person());
    stand.server.state.token_faults.lock().unwrap().push_back(Fault::Slow(Duration::from_secs(100)));
    stand.client.look_up(NUMBER, "job-1").unwrap();
    stand.time.advance(Duration::from_secs(465));
    stand.client.look_up(NUMBER, "job-1").unwrap();
    assert_eq!(stand.server.token_requests().len(), 1);
    stand.time.advance(Duration::from_secs(10));
    stand.client.look_up(NUMBER, "job-1").unwrap();
    assert_eq!(stand.server.token_requests().len(), 2);
}

#[test]
fn a_token_that_holds_for_a_moment_only_is_used_for_half_of_it() {
    let stand = stand_with(&one_person(), 10, |settings| settings.rate_per_second = 1000.0);
    stand.client.look_up(NUMBER, "job-1").unwrap();
    stand.time.advance(Duration::from_secs(4));
    stand.client.look_up(NUMBER, "job-1").unwrap();
    assert_eq!(stand.server.token_requests().len(), 1);
    stand.time.advance(Duration::from_secs(2));
    stand.client.look_up(NUMBER, "job-1").unwrap();
    assert_eq!(stand.server.token_requests().len(), 2);
}

#[test]
fn settings_that_cannot_work_are_named_before_anything_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let no_key = folder.path().join("key.pem");
    std::fs::write(&no_key, "secret stuff").unwrap();
    let refused = |url: &str, private_key_file: Option<std::path::PathBuf>| {
        let mut settings = PdsApiSettings::new(url);
        settings.credentials = private_key_file.map(|private_key_file| Credentials {
            key_id: KEY_ID.to_owned(),
            app_key: Secret::new(APP_KEY),
            private_key_file,
        });
        let time: Arc<dyn ApiTime> = Arc::new(VirtualTime::default());
        let error = PdsClient::new(settings, time).err().expect("it must be refused");
        assert_eq!(error.problem, PdsProblem::Settings);
        error.to_string()
    };
    assert!(refused("pds.example", None).contains("the URL"));
    assert!(refused("ftp://pds.example", None).contains("https://"));
    assert!(refused("http://pds.example", Some(no_key.clone())).contains("plain http"));
    let message = refused("https://pds.example", Some(no_key));
    assert!(message.contains("key.pem") && !message.contains("secret stuff"), "{message}");
    assert!(refused("https://pds.example", Some(folder.path().join("absent"))).contains("absent"));
}
