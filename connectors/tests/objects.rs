//! Objects fetched by their URL: from a real store, and from one that refuses, is away, lies, or takes its time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use concord_connectors::connect::{BucketAccess, NotFetched, Objects};
use concord_engine::calls::Until;

const MOST: u64 = 1000;
const TIME: Duration = Duration::from_secs(60);

fn access(endpoint: &str, keys: &tempfile::TempDir, bucket: &str) -> BucketAccess {
    BucketAccess {
        endpoint: Some(endpoint.to_owned()),
        region: "eu-west-2".to_owned(),
        ca: None,
        keys: Some((keys.path().join("id"), keys.path().join("key"))),
        bucket: bucket.to_owned(),
    }
}

fn keys() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("id"), "test").unwrap();
    std::fs::write(folder.path().join("key"), "testtest").unwrap();
    folder
}

fn objects(endpoint: String, keys: tempfile::TempDir, time: Duration) -> Objects {
    Objects::new(move |bucket| access(&endpoint, &keys, bucket), MOST, time)
}

/// A store that answers every request with this, behind so much time.
fn store(answer: &'static str, behind: Duration) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for connection in listener.incoming() {
            thread::spawn(move || serve(connection.unwrap(), answer, behind));
        }
    });
    address
}

fn serve(stream: TcpStream, answer: &str, behind: Duration) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    while let Some(Ok(line)) = lines.next() {
        if line.is_empty() {
            thread::park_timeout(behind);
            // The client may have gone.
            let _ = (&stream).write_all(answer.as_bytes());
            return;
        }
    }
}

fn fetch_from(answer: &'static str, behind: Duration, time: Duration) -> Result<Vec<u8>, NotFetched> {
    let address = store(answer, behind);
    objects(format!("http://{address}"), keys(), time).fetch("s3://scans/4711/letter.txt", &Until::after(TIME))
}

#[test]
fn an_object_is_fetched_from_a_store_by_its_url_as_it_stands() {
    let Ok(url) = std::env::var("S3_URL") else {
        eprintln!("SKIPPED: fetching from a bucket wants a real server; set S3_URL as scripts/test.sh does");
        return;
    };
    let bucket = format!("concord-objects-{}", jiff::Timestamp::now().as_nanosecond());
    let http = reqwest::blocking::Client::new();
    let put = |path: &str, content: Vec<u8>| {
        let authorization =
            "AWS4-HMAC-SHA256 Credential=test/20210810/eu-west-2/s3/aws4_request, SignedHeaders=host, Signature=none";
        let request = http.put(format!("{url}/{bucket}{path}")).header("Authorization", authorization);
        assert!(request.body(content).send().unwrap().status().is_success(), "{path}");
    };
    assert!(http.put(format!("{url}/{bucket}")).send().unwrap().status().is_success());
    put("/4711/letter%20of%203%20May.txt", b"Surname: Smith".to_vec());
    put("/4711/large", vec![b'x'; MOST as usize + 1]);
    put("/4711/just", vec![b'x'; MOST as usize]);
    let objects = Arc::new(objects(url, keys(), TIME));
    let fetch = |key: &str| objects.fetch(&format!("s3://{bucket}/{key}"), &Until::after(TIME));
    assert_eq!(fetch("4711/letter of 3 May.txt").unwrap(), b"Surname: Smith");
    assert_eq!(fetch("4711/just").unwrap().len() as u64, MOST);
    assert_eq!(fetch("4711/large"), Err(NotFetched::TooLarge { bytes: MOST + 1, most: MOST }));
    assert_eq!(fetch("4711/no-such"), Err(NotFetched::NotThere));
    assert_eq!(objects.fetch("s3://concord-no-such-bucket/a", &Until::after(TIME)), Err(NotFetched::NotThere));

    // Several at a time, each over a connection of its own.
    thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| assert_eq!(fetch("4711/just").unwrap().len() as u64, MOST));
        }
    });
}

#[test]
fn what_is_no_url_of_an_object_is_asked_of_nobody() {
    let objects = objects("http://127.0.0.1:1".to_owned(), keys(), TIME);
    for url in [
        "",
        "4711/letter.txt",
        "file:///etc/passwd",
        "https://scans/a",
        "s3://",
        "s3://scans",
        "s3://scans/",
        "s3:///a",
        "s3://scans/../a",
    ] {
        assert_eq!(objects.fetch(url, &Until::after(TIME)), Err(NotFetched::NoObject), "{url}");
    }
}

#[test]
fn a_store_that_does_not_let_this_program_in_is_asked_once_more_by_nobody() {
    let denied = "HTTP/1.1 403 Forbidden\r\nContent-Length: 72\r\nConnection: close\r\n\r\n\
        <Error><Code>AccessDenied</Code><Key>4711/letter.txt</Key></Error>      ";
    let failure = fetch_from(denied, Duration::ZERO, TIME).unwrap_err();
    assert_eq!(failure, NotFetched::NotAllowed("permission denied (AccessDenied)".to_owned()));
    assert!(!failure.may_pass());
}

#[test]
fn keys_that_cannot_be_read_are_told_by_their_file() {
    let folder = tempfile::tempdir().unwrap();
    let failure = objects("http://127.0.0.1:1".to_owned(), folder, TIME).fetch("s3://scans/a", &Until::after(TIME));
    let Err(NotFetched::NotAllowed(why)) = failure else { panic!("{failure:?}") };
    assert!(why.contains("/id: "), "{why}");
}

#[test]
fn a_store_that_is_away_may_be_back() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    let objects = objects(format!("http://{nobody}"), keys(), TIME);
    let failure = objects.fetch("s3://scans/4711/letter.txt", &Until::after(TIME)).unwrap_err();
    assert!(matches!(&failure, NotFetched::Away(why) if why.contains("refused")), "{failure:?}");
    assert!(failure.may_pass());
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\nLast-Modified: Tue, 10 Aug 2021 13:40:00 GMT\r\n\
        ETag: \"a\"\r\nConnection: close\r\n\r\nSurname: Sm";
    let failure = fetch_from(cut, Duration::ZERO, TIME).unwrap_err();
    assert!(failure.may_pass(), "{failure:?}");
}

#[test]
fn a_store_that_takes_too_long_is_not_waited_for() {
    let late = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let began = Instant::now();
    let failure = fetch_from(late, Duration::from_secs(600), Duration::from_millis(300)).unwrap_err();
    assert_eq!((&failure, failure.may_pass()), (&NotFetched::OutOfTime, true));
    assert!(began.elapsed() < TIME, "{:?}", began.elapsed());
}

#[test]
fn an_object_that_nobody_waits_for_any_more_is_given_up() {
    let address = store("", Duration::from_secs(600));
    let objects = objects(format!("http://{address}"), keys(), Duration::from_secs(600));
    let until = Until::after(Duration::from_secs(600));
    let from_elsewhere = until.clone();
    let fetching = thread::spawn(move || objects.fetch("s3://scans/a", &until));
    from_elsewhere.call_off();
    assert_eq!(fetching.join().unwrap(), Err(NotFetched::OutOfTime));
}
