//! What is told of a job, byte for byte.

use concord_flows::list_reconciliation::{MailSettings, Profile, Settings, ids};

use crate::desk::{Desk, File, PCSE, told_of_everything};

#[test]
fn a_refused_name_is_told_with_its_reasons() {
    for profile in [Profile::Fixed, Profile::Compatible] {
        let mut desk = Desk::with(Settings { profile, ..told_of_everything() });
        let file = File::new("AZ2023_GAR4BRF1.CSA.DAT", b"503\\*\n");
        desk.send(&file, "");
        let mails = desk.mails();
        assert_eq!(mails.len(), 1);
        assert_eq!((mails[0].id.as_str(), mails[0].service.as_str()), (&*ids::mail_id(&file.job_id, "LR-04"), "LR-04"));
        assert_eq!(mails[0].to, [PCSE]);
        assert_eq!(
            mails[0].subject,
            "Validation Failure - PDS Comparison validation failure against 'AZ2023_GAR4BRF1.CSA.DAT'"
        );
        let expected = concat!(
            "The GP file: AZ2023_GAR4BRF1.CSA.DAT failed validation at 13:40:00 on 10/08/2021.\n",
            "As a result, no records in this file have been processed.\n",
            "\n",
            "The reasons for the failure are:\n",
            "    \u{2022}Filename contains invalid practice code\n",
            "    \u{2022} Filename contains invalid DOW name and/or HA cipher\n",
            "Please check and amend the file content and upload again.\n",
        );
        assert_eq!(mails[0].body, expected);
    }
}

/// A file of which the records at these places, from 0, have a sex that there is not.
fn with_wrong_sex(file: &File, places: impl Iterator<Item = usize>) -> File {
    const SEX: usize = 12;
    let text = String::from_utf8(file.content.clone()).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for place in places {
        let row = 1 + 2 * place;
        let mut fields: Vec<&str> = lines[row].split('~').collect();
        fields[SEX] = "3";
        lines[row] = fields.join("~");
    }
    File::new(&file.name, (lines.join("\n") + "\n").as_bytes())
}

#[test]
fn refused_records_are_told_by_their_lines_and_without_their_patients() {
    let mut desk = Desk::with(told_of_everything());
    let file = with_wrong_sex(&File::of_practice("Y12345"), [0, 9].into_iter());
    desk.send(&file, "");
    let mails = desk.mails();
    assert_eq!(mails.len(), 1);
    let expected = format!(
        concat!(
            "The GP file: {} failed validation at 13:40:00 on 10/08/2021.\n",
            "As a result, no records in this file have been processed.\n",
            "\n",
            "Total records: 10\n",
            "Total invalid records: 2\n",
            "\n",
            "The reasons for the failure are:\n",
            "Invalid Record on lines 2-3\n",
            "   \u{2022} Sex - Must be 1 for Male, 2 for Female, 0 for Indeterminate/Not Known or 9 for Not Specified.\n",
            "Invalid Record on lines 20-21\n",
            "   \u{2022} Sex - Must be 1 for Male, 2 for Female, 0 for Indeterminate/Not Known or 9 for Not Specified.\n",
            "\n",
            "Please check and amend the file content and upload again.\n",
        ),
        file.name
    );
    assert_eq!(mails[0].body, expected);
    assert_eq!(desk.job(&file.job_id).status, "REJECTED");
    desk.nothing_is_left();
}

#[test]
fn of_very_many_refused_records_a_mail_tells_as_many_as_fit_and_how_many_more_there_are() {
    let mut desk = Desk::with(told_of_everything());
    // The same ten patients, again and again: their transaction numbers are not unique, and some have a wrong sex too.
    let one = with_wrong_sex(&File::of_practice("Y12345"), 0..10);
    let text = String::from_utf8(one.content.clone()).unwrap();
    let (header, rows) = text.split_once('\n').unwrap();
    let file = File::new(&one.name, format!("{header}\n{}", rows.repeat(200)).as_bytes());
    desk.send(&file, "");
    let mails = desk.mails();
    let body = &mails[0].body;
    assert!(body.contains("Total invalid records: 2000\n"));
    let told = body.matches("Invalid Record on lines").count();
    assert!((500..2000).contains(&told), "{told} records are told");
    assert!(body.contains(&format!("And {} more invalid records: the validation report has them all.\n", 2000 - told)));
    assert!(body.len() < 250_000, "{} bytes", body.len());
    desk.nothing_is_left();
}

#[test]
fn a_reconciled_file_is_told_with_its_counts_and_files() {
    let mut desk = Desk::with(told_of_everything());
    let file = File::of_practice("Y12345");
    desk.send(&file, "");
    let mails = desk.mails();
    assert_eq!(mails.len(), 1);
    let name = file.name.to_uppercase();
    assert_eq!(
        mails[0].subject,
        format!(
            "PDS Comparison run at 14:40:00 on 10/08/2021 against Practice: Y12345 - {name} - Registrations Output"
        )
    );
    let expected = format!(
        concat!(
            "The GP file: {} has been compared to PDS at 14:40:00 on 10/08/2021\n",
            "\n",
            "0 patient records were found on PDS, that were not in the GP file.\n",
            "\n",
            "10 patient records were found in the GP file, that are not associated to this GP in PDS.\n",
            "\n",
            "The comparison run has also discovered 0 discrepancies that have generated 0 work\n",
            "item/s to resolve, with 0 record/s being automatically updated in PDS and\n",
            "0 record/s being provided for the GP Practice to review and update.\n",
            "\n",
            "The files generated can be found in your MESH mailbox:\n",
            "    \u{2022} Y12345-CDD-20210810134000.csv\n",
            "    \u{2022} Y12345-OnlyOnGP-20210810134000.csv\n",
            "    \u{2022} Y12345-OnlyOnPDS-20210810134000.csv\n",
            "\n",
            "For support reference, the Reconciliation Run Id associated to this email is: {}",
        ),
        name, file.job_id
    );
    assert_eq!(mails[0].body, expected);
}

#[test]
fn reconciled_files_are_told_only_when_that_is_wanted_and_refused_ones_always() {
    let mails = MailSettings { recipients: vec![PCSE.to_owned()], success: false };
    let mut desk = Desk::with(Settings { mails, ..Settings::default() });
    desk.send(&File::of_practice("Y12345"), "");
    desk.send(&File::new("rubbish.txt", b""), "");
    let services: Vec<String> = desk.mails().into_iter().map(|mail| mail.service).collect();
    assert_eq!(services, ["LR-04"]);
}

#[test]
fn a_crash_at_any_call_writes_each_mail_once() {
    use concord_engine::log::embedded::{Call, Fault};
    for nth in 0..6 {
        for took_effect in [false, true] {
            let mut desk = Desk::with(told_of_everything());
            let good = File::of_practice("Y12345");
            let bad = File::new("rubbish.txt", b"");
            for file in [&good, &bad] {
                desk.send_pieces(file, "", 1_000, usize::MAX);
            }
            for _ in 0..nth {
                desk.driver.step(0).unwrap();
                desk.driver.advance(60);
            }
            desk.driver.fail_next(Call::Commit, Fault::Crash { took_effect });
            for _ in 0..20 {
                desk.driver.step(0).unwrap();
                desk.driver.advance(60);
                desk.driver.restart_all().unwrap();
            }
            desk.idle();
            let mut services: Vec<String> = desk.mails().into_iter().map(|mail| mail.service).collect();
            services.sort();
            assert_eq!(services, ["LR-04", "LR-14"], "crash at commit {nth}, took effect: {took_effect}");
        }
    }
}
