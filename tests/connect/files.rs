//! Folders and buckets.

use std::fs;
use std::path::Path;
use std::process::Command;

use concord_state::failpoints::Failpoint;
use reqwest::blocking::{Client, RequestBuilder};
use reqwest::{Method, StatusCode};
use sha2::{Digest, Sha256};

use crate::application::{Application, part};

const JOB: &str = "142ab507-2cb6-83c5-af32-891d83af0e53";

/// Names of the files below a folder, those of folders that begin with a dot left out.
pub fn files_below(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if name.starts_with('.') {
            continue;
        }
        if entry.path().is_dir() {
            found.extend(files_below(&entry.path()).into_iter().map(|below| format!("{name}/{below}")));
        } else {
            found.push(name);
        }
    }
    found.sort();
    found
}

/// A job's id that no other test has.
fn job(application: &Application) -> String {
    let unique = format!("{:0>12}", &application.unique[application.unique.len().saturating_sub(12)..]);
    format!("{}{unique}", &JOB[..24])
}

#[test]
fn a_file_in_a_folder_is_taken_once_and_kept_where_the_configuration_says() {
    let sections = "[connect]\nlargest_input_mib = 1\n\
         [[folders.intake]]\npath = \"FOLDER/in\"\ntaken = \"FOLDER/taken\"\npoll_seconds = 1\n";
    let Some(mut application) = Application::new("files", sections) else { return };
    let (inbound, taken) = (application.folder.path().join("in"), application.folder.path().join("taken"));
    fs::create_dir(&inbound).unwrap();
    let content = format!("503\\*\n{}\n", application.unique);
    application.write("in/A82023_GPR4BRF1.B1A", &content);
    application.write("in/B82023_GPR4BRF1.B1A.part", "still being written");
    application.write("in/large", vec![b'x'; (1 << 20) + 1]);
    assert!(Command::new("ln").args(["-s", "/etc/hostname"]).arg(inbound.join("link")).status().unwrap().success());
    let source = |name: &str| format!("folder:{}", inbound.join(name).display());

    application.dies_at(Failpoint::InputHere, 1);
    assert_eq!(application.extract_from(&source("A82023_GPR4BRF1.B1A")), None);
    application.dies_at(Failpoint::InputInLog, 1);
    application.start();
    application.wait_until("the file is taken", |_| files_below(&taken).len() == 1);
    let whole = Some(("A82023_GPR4BRF1.B1A".to_owned(), content.clone().into_bytes()));
    assert_eq!(application.extract_from(&source("A82023_GPR4BRF1.B1A")), whole);
    application.wait_until("the others are refused", |application| {
        let refused = application.refused(inbound.to_str().unwrap());
        refused.get(&source("large")).is_some_and(|code| code == "CONCORD-CN-0010")
            && refused.get(&source("link")).is_some_and(|code| code == "CONCORD-CN-0017")
    });
    assert_eq!(files_below(&inbound), ["B82023_GPR4BRF1.B1A.part", "large", "link"]);
    let kept = files_below(&taken);
    assert!(kept[0].ends_with("/A82023_GPR4BRF1.B1A"), "{kept:?}");
    assert_eq!(fs::read_to_string(taken.join(&kept[0])).unwrap(), content);

    // Another content under the same name is another file.
    application.write("in/A82023_GPR4BRF1.B1A", format!("{content}more\n"));
    application.wait_until("the second one is taken", |_| files_below(&taken).len() == 2);
    application.stop();
}

#[test]
fn results_are_written_into_a_folder_whole_and_once_and_removed_when_their_time_is_over() {
    let sections = "[[folders.results]]\nname = \"ROUTE\"\nfiles = [\"cdd\", \"work-item\"]\npath = \"FOLDER/out\"\n\
         retention_days = 7\n[[folders.inputs]]\nname = \"inputs-ROUTE\"\npath = \"FOLDER/inputs\"\n";
    let Some(mut application) = Application::new("files", sections) else { return };
    let out = application.folder.path().join("out");
    let job = job(&application);
    let (cdd, item) = ("Y12345-CDD-20210810134000.csv", "work-items/Y12345-WIP-j-9000000009-20210810134000.json");
    application.publish_file(&job, cdd, "nhsNumber,gp_birthDate\n");
    application.publish_file(&job, item, "{\"system\": 1}");
    // Somebody has put something else there.
    fs::create_dir_all(out.join(&job)).unwrap();
    fs::write(out.join(&job).join("Y12345-CDD-1.csv"), "not ours").unwrap();
    application.publish_file(&job, "Y12345-CDD-1.csv", "ours");

    application.dies_at(Failpoint::ResultHandedOver, 1);
    let old = out.join(format!("{}999999999999", &JOB[..24]));
    fs::create_dir_all(&old).unwrap();
    fs::write(old.join("a.csv"), "old").unwrap();
    fs::write(out.join("not-of-a-job.csv"), "old").unwrap();
    let eight_days_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(8 * 24 * 60 * 60);
    for file in [old.join("a.csv"), out.join("not-of-a-job.csv")] {
        fs::File::options().write(true).open(file).unwrap().set_modified(eight_days_ago).unwrap();
    }
    application.start();
    application.wait_until("each has its delivery", |application| application.deliveries(&job).len() == 3);
    for (name, state, reference, detail) in application.deliveries(&job) {
        if name == "Y12345-CDD-1.csv" {
            assert_eq!((state.as_str(), detail.contains("CONCORD-CN-0014")), ("REFUSED", true));
        } else {
            let address = format!("folder:{}", out.join(&job).join(&name).display());
            assert_eq!((state.as_str(), reference), ("SENT", address));
        }
    }
    assert_eq!(fs::read_to_string(out.join(&job).join(cdd)).unwrap(), "nhsNumber,gp_birthDate\n");
    assert_eq!(fs::read_to_string(out.join(&job).join(item)).unwrap(), "{\"system\": 1}");
    assert_eq!(fs::read_to_string(out.join(&job).join("Y12345-CDD-1.csv")).unwrap(), "not ours");
    application.wait_until("what is old is removed", |_| !old.exists());
    assert!(out.join("not-of-a-job.csv").exists(), "it is no job's file");
    let metrics = application.page("/metrics");
    assert!(
        metrics.lines().any(|l| l.starts_with("concord_retention_removed_total{") && l.ends_with(" 1")),
        "{metrics}"
    );
    application.stop();
}

/// Whom a request is from: the store of these tests wants to know, and looks at no signature.
const AUTHORIZATION: &str =
    "AWS4-HMAC-SHA256 Credential=test/20210810/eu-west-2/s3/aws4_request, SignedHeaders=host, Signature=none";

/// Objects of a bucket, by plain requests.
pub struct Store {
    url: String,
    http: Client,
}

impl Store {
    /// A new bucket.
    pub fn make(url: &str, bucket: &str) -> Self {
        let store = Self { url: format!("{url}/{bucket}"), http: Client::new() };
        assert!(store.http.put(&store.url).send().unwrap().status().is_success());
        store
    }

    fn request(&self, method: Method, key: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/{key}", self.url)).header("Authorization", AUTHORIZATION)
    }

    pub fn put(&self, key: &str, content: &str) {
        let answer = self.request(Method::PUT, key).body(content.to_owned()).send().unwrap();
        assert!(answer.status().is_success(), "{key}: {}", answer.status());
    }

    pub fn get(&self, key: &str) -> Option<String> {
        let answer = self.request(Method::GET, key).send().unwrap();
        (answer.status() == StatusCode::OK).then(|| answer.text().unwrap())
    }
}

#[test]
fn a_bucket_gives_extracts_and_takes_results_and_copies_each_once() {
    let Some(url) = part("S3_URL", "concord connect files with a bucket") else { return };
    let bucket = format!("concord-{}", jiff::Timestamp::now().as_nanosecond());
    let sections = format!(
        "[s3]\nendpoint = \"{url}\"\naccess_key_file = \"FOLDER/id\"\nsecret_key_file = \"FOLDER/key\"\n\
         [[s3.intake]]\nbucket = \"{bucket}\"\nprefix = \"inbound\"\ntaken_prefix = \"pass\"\npoll_seconds = 1\n\
         [[s3.results]]\nname = \"ROUTE\"\nfiles = [\"cdd\"]\nbucket = \"{bucket}\"\nprefix = \"outputs\"\n\
         [[s3.inputs]]\nname = \"inputs-ROUTE\"\nbucket = \"{bucket}\"\nprefix = \"inputs\"\nretention_days = 30\n",
    );
    let Some(mut application) = Application::new("files", &sections) else { return };
    application.write("id", "test");
    application.write("key", "testtest");
    let store = Store::make(&url, &bucket);
    let name = "A82023_GPR4BRF1.B1A";
    let content = format!("503\\*\n{}\n", application.unique);
    store.put(&format!("inbound/{name}"), &content);
    let job = job(&application);
    let cdd = "Y12345-CDD-20210810134000.csv";
    application.publish_file(&job, cdd, "nhsNumber,gp_birthDate\n");

    application.dies_at(Failpoint::InputHere, 1);
    assert_eq!(store.get(&format!("inbound/{name}")), Some(content.clone()));
    application.dies_at(Failpoint::InputInLog, 1);
    assert_eq!(store.get(&format!("inbound/{name}")), Some(content.clone()));
    application.dies_at(Failpoint::ResultHandedOver, 1);
    application.start();
    let source = format!("s3:{bucket}/inbound/{name}");
    application.wait_until("the object is taken", |_| store.get(&format!("inbound/{name}")).is_none());
    assert_eq!(application.extract_from(&source), Some((name.to_owned(), content.clone().into_bytes())));
    application.wait_until("the result is told", |application| !application.deliveries(&job).is_empty());
    let address = format!("s3:{bucket}/outputs/{job}/{cdd}");
    let expected = (cdd.to_owned(), "SENT".to_owned(), address, String::new());
    assert_eq!(application.deliveries(&job), [expected]);
    assert_eq!(store.get(&format!("outputs/{job}/{cdd}")), Some("nhsNumber,gp_birthDate\n".to_owned()));
    let digest: [u8; 32] = Sha256::digest(&content).into();
    let taken = concord_flows::list_reconciliation::ids::job_id(name, &digest);
    assert_eq!(store.get(&format!("pass/{taken}/{name}")), Some(content.clone()));
    application.wait_until("a copy is retained", |_| store.get(&format!("inputs/{taken}/{name}")).is_some());
    assert_eq!(store.get(&format!("inputs/{taken}/{name}")), Some(content));
    application.stop();
}
