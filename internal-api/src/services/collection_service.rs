//! `CollectionService`: collections and their policies. The operator puts them, callers of the
//! tenant read them.

use tonic::{Request, Response, Status};
use tresor_proto::{
    CollectionName, Failure, Policy,
    vault::{
        AnalyzeCollectionRequest, AnalyzeCollectionResponse, BuildIndexRequest, BuildIndexResponse,
        GetCollectionRequest, GetCollectionResponse, GetInventoryRequest, GetInventoryResponse,
        ListCollectionsRequest, ListCollectionsResponse, PutCollectionRequest,
        PutCollectionResponse, collection_service_server::CollectionService,
    },
};

use crate::{
    caller::Origin,
    convert::collection::{self, analysis_to_wire, to_wire},
    gate::Gate,
};

/// Among how many other values each is to hide, unless the caller says otherwise.
const HIDDEN_AMONG: u64 = 4;

/// The service.
pub(crate) struct Collections {
    gate: Gate,
}

impl Collections {
    /// The service behind `gate`.
    pub(crate) fn new(gate: Gate) -> Self {
        Self { gate }
    }
}

#[tonic::async_trait]
impl CollectionService for Collections {
    async fn put_collection(
        &self,
        request: Request<PutCollectionRequest>,
    ) -> Result<Response<PutCollectionResponse>, Status> {
        let origin = Origin::of(&request)?;
        let request = request.into_inner();
        let context = origin.context(request.context)?;
        let name = CollectionName::parse(&request.name)?;
        let policy = Policy::try_from(request.policy.unwrap_or_default())?;
        let vault = self.gate.vault()?;
        let permit = self.gate.permit_operator(&origin)?;
        let collection = vault.put_collection(&permit, &context.tenant, name, policy).await;
        let collection = collection.map_err(Failure::from)?;
        let permit = self.gate.permit_policy(&origin, &context).await?;
        // The policy is put, whatever can be told of its indexes.
        let indexes = vault.index_states(&permit, &collection).await.unwrap_or_default();
        let collection = Some(to_wire(&collection, &indexes));
        Ok(Response::new(PutCollectionResponse { collection }))
    }

    async fn analyze_collection(
        &self,
        request: Request<AnalyzeCollectionRequest>,
    ) -> Result<Response<AnalyzeCollectionResponse>, Status> {
        let origin = Origin::of(&request)?;
        let request = request.into_inner();
        let tenant = origin.context(request.context)?.tenant;
        let name = CollectionName::parse(&request.collection)?;
        let hidden_among = match request.hidden_among {
            0 => HIDDEN_AMONG,
            others => others,
        };
        let vault = self.gate.vault()?;
        let permit = self.gate.permit_operator(&origin)?;
        let analyses = vault.analyze_collection(&permit, &tenant, &name, hidden_among);
        let analyses = analyses.await.map_err(Failure::from)?;
        let indexes = analyses.into_iter().map(analysis_to_wire).collect();
        Ok(Response::new(AnalyzeCollectionResponse { indexes }))
    }

    async fn get_inventory(
        &self,
        request: Request<GetInventoryRequest>,
    ) -> Result<Response<GetInventoryResponse>, Status> {
        let origin = Origin::of(&request)?;
        let request = request.into_inner();
        let tenant = origin.context(request.context)?.tenant;
        let of_surrogates = request.collection.is_empty();
        let name = (!of_surrogates).then(|| CollectionName::parse(&request.collection));
        let name = name.transpose()?;
        let vault = self.gate.vault()?;
        let permit = self.gate.permit_operator(&origin)?;
        let inventory = vault.inventory(&permit, &tenant, name.as_ref()).await;
        let inventory = inventory.map_err(Failure::from)?;
        Ok(Response::new(collection::inventory_to_wire(&inventory)))
    }

    async fn get_collection(
        &self,
        request: Request<GetCollectionRequest>,
    ) -> Result<Response<GetCollectionResponse>, Status> {
        let origin = Origin::of(&request)?;
        let request = request.into_inner();
        let context = origin.context(request.context)?;
        let name = CollectionName::parse(&request.name)?;
        let version = (request.policy_version > 0).then_some(request.policy_version);
        let vault = self.gate.vault()?;
        let permit = self.gate.permit_policy(&origin, &context).await?;
        let collection = vault.collection(&permit, &name, version).await;
        let collection = collection.map_err(Failure::from)?;
        let indexes = vault.index_states(&permit, &collection).await.map_err(Failure::from)?;
        let collection = Some(to_wire(&collection, &indexes));
        Ok(Response::new(GetCollectionResponse { collection }))
    }

    async fn list_collections(
        &self,
        request: Request<ListCollectionsRequest>,
    ) -> Result<Response<ListCollectionsResponse>, Status> {
        let origin = Origin::of(&request)?;
        let context = origin.context(request.into_inner().context)?;
        let vault = self.gate.vault()?;
        let permit = self.gate.permit_policy(&origin, &context).await?;
        let mut collections = Vec::new();
        for collection in vault.collections(&permit).await.map_err(Failure::from)? {
            let indexes = vault.index_states(&permit, &collection).await.map_err(Failure::from)?;
            collections.push(to_wire(&collection, &indexes));
        }
        Ok(Response::new(ListCollectionsResponse { collections }))
    }

    async fn build_index(
        &self,
        request: Request<BuildIndexRequest>,
    ) -> Result<Response<BuildIndexResponse>, Status> {
        let origin = Origin::of(&request)?;
        let request = request.into_inner();
        let tenant = origin.context(request.context)?.tenant;
        let name = CollectionName::parse(&request.collection)?;
        let vault = self.gate.vault()?;
        let permit = self.gate.permit_operator(&origin)?;
        let build = vault.build_index(&permit, &tenant, &name, request.dry_run).await;
        Ok(Response::new(collection::build(&build.map_err(Failure::from)?)))
    }
}
