use super::*;
use crate::output::Format;

async fn perform_with(csv: &str) -> Demonstration {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("records.csv");
    std::fs::write(&file, csv).unwrap();
    let output = Output::new(Format::Json, false);
    perform(&output, &directory.path().join("demo"), &file).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sample_is_as_promised() {
    let demonstration = perform_with(SAMPLE).await;
    let document = demonstration.to_json();
    assert!(demonstration.is_as_promised(), "{document:#}");
    assert_eq!(document["records_accepted"], 5);
    assert_eq!(document["attacks_tried"], document["attacks_refused"]);
    assert!(demonstration.control_hits > 0 && demonstration.controls.len() >= 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_nothing_to_seal_works() {
    let demonstration = perform_with("menge,status\n7,offen\n").await;
    assert!(demonstration.is_as_promised(), "{:#}", demonstration.to_json());
    assert_eq!(demonstration.summary.fields_sealed, 0);
    assert_eq!(demonstration.exit(), Exit::Done);
}

#[tokio::test]
async fn a_file_without_records_is_refused_before_anything_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let output = Output::new(Format::Json, false);
    let root = directory.path().join("demo");
    let file = directory.path().join("records.csv");
    assert!(perform(&output, &root, &file).await.is_err(), "there is no file");
    for content in ["", "email;menge\n"] {
        std::fs::write(&file, content).unwrap();
        let Err(error) = perform(&output, &root, &file).await else { panic!("a demonstration") };
        assert!(error.to_string().starts_with("there is nothing to show"), "{error}");
    }
    assert!(!root.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_on_disk_or_a_thief_s_success_is_not_as_promised() {
    let mut demonstration = perform_with("email;menge\na.b@example.org;7\nbroken\n").await;
    assert_eq!(demonstration.exit(), Exit::SomeRejected);
    demonstration.on_disk.hits = 1;
    assert_eq!(demonstration.exit(), Exit::Failed);
    demonstration.on_disk.hits = 0;
    demonstration.attacks[0].is_refused = false;
    assert_eq!(demonstration.exit(), Exit::Failed);
}
