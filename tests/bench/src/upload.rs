//! Uploads of NDJSON over HTTPS, through the real edge.

use reqwest::{Client, header::CONTENT_TYPE};
use tresor_tests::Tenant;

use crate::{
    Plan,
    cells::Bench,
    premises::tls_files,
    records,
    sample::{Sample, closed_loop},
};

/// Rows of one upload.
pub(crate) const ROWS: u64 = 5_000;

/// One round: the CPU seconds are those of edge and vault together.
pub(crate) async fn round(with: &mut Bench, plan: &Plan, connections: usize) -> Sample {
    let processes = [with.premises.edge_process(), with.premises.vault_process()];
    let tenant = &with.premises.tenant;
    let authorities = with.premises.site.path("ca/ca.pem");
    let clients: Vec<_> = (0..connections).map(|_| client(tenant, &authorities)).collect();
    let url = with.premises.site.url("/v1/collections/customers/records");
    let body = format!("{}\n", records::line()).repeat(ROWS as usize);
    let body = bytes(body);
    let customer_token = tenant.customer_token();
    let call = move |client: Client, _| {
        let request = client.post(&url).header(CONTENT_TYPE, "application/x-ndjson");
        let request = request.header("Tresor-Customer-Token", &customer_token).body(body.clone());
        async move {
            let answer = request.send().await.expect("an answer").text().await.expect("its lines");
            let summary = answer.lines().last().unwrap_or_default();
            let summary: serde_json::Value = serde_json::from_str(summary).expect("a summary");
            let expected = (Some(ROWS), Some(ROWS * records::FIELDS));
            let summary = &summary["summary"];
            let told = (summary["accepted"].as_u64(), summary["fields_sealed"].as_u64());
            assert_eq!(told, expected, "{summary}");
            ROWS
        }
    };
    closed_loop(&processes, plan.duration(), &clients, call).await
}

fn client(tenant: &Tenant, authorities: &std::path::Path) -> Client {
    let mut tls = tls_files(&tenant.directory, "client");
    tls.authorities = authorities.to_owned();
    let tls = tresor_door::client_config(&tls, &["h2", "http/1.1"]).expect("TLS files");
    let client = Client::builder().tls_backend_preconfigured(tls).no_proxy().build();
    client.expect("a client")
}

/// Shared by all uploads, not copied for each.
fn bytes(text: String) -> tonic::codegen::Bytes {
    text.into()
}
