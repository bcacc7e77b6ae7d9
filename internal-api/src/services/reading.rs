//! Reading into an answer of bounded size, a part at a time.
//!
//! A thousand records of 256 KiB are no message; what does not fit is left for the next page, or
//! said of the item. At most one part is in memory beyond the answer itself, and every credential
//! is checked before each. It ends early, too, when a part fails, as when the tenant's reveals are
//! spent: what was shown before is answered.

use tresor_proto::{
    Failure, RecordId,
    vault::{GetResult, ListResponse, SearchResponse},
};
use tresor_vault::{Page, Permit, Read, RevealedRecord, Search, SearchTerm, VaultError, View};

use super::told::{Revealed, Told};

use crate::{
    caller::Origin,
    context::Context,
    convert::{
        input::Ids,
        revealed::{AnswerBudget, get_result},
    },
    gate::Gate,
};

/// Records read at once: 16 MiB at most.
const PART_ITEMS: usize = 64;

/// Who reads, as often as it has to be checked.
pub(super) struct Reading<'a> {
    pub(super) gate: &'a Gate,
    pub(super) origin: &'a Origin,
    pub(super) context: &'a Context,
}

impl Reading<'_> {
    async fn permit(&self) -> Result<Permit<Read>, Failure> {
        self.gate.permit::<Read>(self.origin, self.context).await
    }

    async fn records(&self, view: &View, ids: &[RecordId]) -> Result<Revealed, Failure> {
        let vault = self.gate.vault()?;
        Ok(vault.get(&self.permit().await?, view, ids).await?)
    }

    async fn listed(
        &self,
        view: &View,
        after: Option<&RecordId>,
        items: usize,
    ) -> Result<Page<(RecordId, Result<RevealedRecord, VaultError>)>, Failure> {
        let vault = self.gate.vault()?;
        Ok(vault.list(&self.permit().await?, view, after, items).await?)
    }
}

/// Reads records by id; one result each, in order.
pub(super) async fn by_id(
    reading: &Reading<'_>,
    view: &View,
    mut ids: Ids,
) -> Result<Vec<GetResult>, Failure> {
    let mut told = Told::new();
    while !ids.is_empty() {
        let part = ids.split_first(PART_ITEMS);
        if told.is_ended() {
            told.add_rest(part);
            continue;
        }
        let revealed = reading.records(view, &part.valid()).await;
        told.add(part, revealed);
    }
    told.into_results()
}

/// Reads one page of a collection; it ends early when the answer is full.
pub(super) async fn page(
    reading: &Reading<'_>,
    view: &View,
    mut after: Option<RecordId>,
    limit: usize,
) -> Result<ListResponse, Failure> {
    let mut budget = AnswerBudget::new();
    let mut results: Vec<GetResult> = Vec::new();
    while results.len() < limit {
        let items = PART_ITEMS.min(limit - results.len());
        let part = match reading.listed(view, after.as_ref(), items).await {
            // What was shown is answered; the next page tells why there is no more.
            Err(_) if !results.is_empty() => break,
            part => part?,
        };
        for (id, revealed) in part.items {
            let result = get_result(id.as_str().to_owned(), revealed.map_err(Failure::from));
            if !budget.take(&result) {
                return Ok(answer(results, after));
            }
            results.push(result);
            after = Some(id);
        }
        after = part.next.map(|key| RecordId::parse(&key)).transpose()?;
        if after.is_none() {
            break;
        }
    }
    Ok(answer(results, after))
}

/// Finds one page of records: what is found in one search, and fits.
pub(super) async fn search(
    reading: &Reading<'_>,
    view: &View,
    terms: &[SearchTerm],
    (page_token, limit): (&str, usize),
) -> Result<SearchResponse, Failure> {
    let vault = reading.gate.vault()?;
    let permit = reading.gate.permit::<Search>(reading.origin, reading.context).await?;
    let paging = vault.search_paging(&permit, &view.collection, terms).await?;
    let is_first = page_token.is_empty();
    let mut after = (!is_first).then(|| paging.after(page_token)).transpose()?;
    let next = |after: Option<RecordId>| after.map_or_else(String::new, |id| paging.token(&id));
    let limit = limit.min(PART_ITEMS);
    let found = vault.search(&permit, view, terms, (after.as_ref(), limit)).await?;
    let index_complete = found.is_index_complete;
    let mut budget = AnswerBudget::new();
    let mut results = Vec::with_capacity(found.items.len());
    for (id, revealed) in found.items {
        let result = get_result(id.as_str().to_owned(), revealed.map_err(Failure::from));
        if !budget.take(&result) {
            return Ok(SearchResponse { results, next_page_token: next(after), index_complete });
        }
        results.push(result);
        after = Some(id);
    }
    Ok(SearchResponse { results, next_page_token: next(found.next), index_complete })
}

fn answer(results: Vec<GetResult>, next: Option<RecordId>) -> ListResponse {
    ListResponse { results, next_page_token: text(next) }
}

fn text(next: Option<RecordId>) -> String {
    next.map_or_else(String::new, |id| id.as_str().to_owned())
}
