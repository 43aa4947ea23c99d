//! The routes, the mails and what is delivered, as the flow takes them.

use concord_flows::list_reconciliation::Delivered;
use concord_flows::list_reconciliation::post_office::{self, PostOffice};

use super::{DeliveredName, ListReconciliation, Route, RouteHours};

impl ListReconciliation {
    /// Checks routes, hours and addresses.
    pub(super) fn post_office(&self) -> Result<PostOffice, String> {
        if let Some(recipient) = self.mails.recipients.iter().find(|address| !address.contains('@')) {
            return Err(format!("flows.list_reconciliation.mails.recipients: `{recipient}` is no address"));
        }
        let in_routes = |problem| format!("flows.list_reconciliation.routes: {problem}");
        let routes: Result<Vec<_>, String> = self.routes.iter().map(Route::as_route).collect();
        PostOffice::new(routes.map_err(in_routes)?).map_err(in_routes)
    }
}

impl Route {
    fn as_route(&self) -> Result<post_office::Route, String> {
        let hours: Result<Vec<_>, String> = self.hours.iter().map(RouteHours::as_hours).collect();
        Ok(post_office::Route { name: self.name.clone(), sources: self.sources.clone(), hours: hours? })
    }
}

impl RouteHours {
    fn as_hours(&self) -> Result<post_office::Hours, String> {
        post_office::Hours::new(&self.days, &self.from, &self.to)
    }
}

impl From<DeliveredName> for Delivered {
    fn from(name: DeliveredName) -> Self {
        match name {
            DeliveredName::Lists => Self::Lists,
            DeliveredName::WorkItems => Self::WorkItems,
            DeliveredName::Mails => Self::Mails,
        }
    }
}
