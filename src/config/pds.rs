//! The part of the configuration about PDS as the client and the connector take it.

use std::time::Duration;

use concord_connectors::pds::Selection;
use concord_connectors::pds::api::{Credentials, PdsApiSettings};
use concord_connectors::pds::lookups::LookupSettings;
use concord_connectors::secret::Secret;

use super::{Config, Pds};
use crate::failure::Failure;

impl Pds {
    /// Checks what can be checked without opening a file.
    pub(super) fn check(&self) -> Result<(), String> {
        let named = [self.key_id.is_some(), self.app_key_file.is_some(), self.private_key_file.is_some()];
        if named.contains(&true) && named.contains(&false) {
            return Err(
                "pds.key_id, pds.app_key_file and pds.private_key_file belong together: write all or none".into()
            );
        }
        if !(self.rate_per_second.is_finite() && self.rate_per_second > 0.0) {
            return Err(format!("pds.rate_per_second is {}: write a number above 0", self.rate_per_second));
        }
        for (key, value) in [
            ("burst", u64::from(self.burst)),
            ("requests_in_flight", self.requests_in_flight as u64),
            ("timeout_seconds", self.timeout_seconds),
        ] {
            if value == 0 {
                return Err(format!("pds.{key} is 0: write 1 or more"));
            }
        }
        Ok(())
    }

    /// Settings of the client.
    ///
    /// # Errors
    /// The file of the application's key cannot be read.
    pub fn api(&self, selection: Selection) -> Result<PdsApiSettings, Failure> {
        let credentials = match (&self.key_id, &self.app_key_file, &self.private_key_file) {
            (Some(key_id), Some(app_key_file), Some(private_key_file)) => Some(Credentials {
                key_id: key_id.clone(),
                app_key: Secret::from_file(app_key_file)
                    .map_err(|e| Failure::Usage(format!("pds.app_key_file, {}: {e}", app_key_file.display())))?,
                private_key_file: private_key_file.clone(),
            }),
            _ => None,
        };
        Ok(PdsApiSettings {
            credentials,
            ca: self.ca_file.clone(),
            rate_per_second: self.rate_per_second,
            burst: self.burst,
            timeout: Duration::from_secs(self.timeout_seconds),
            selection,
            ..PdsApiSettings::new(&self.url)
        })
    }
}

impl Config {
    /// Settings of the connector of PDS; its usual ones where there is no section about PDS.
    pub fn lookups(&self) -> LookupSettings {
        let Some(pds) = &self.pds else { return LookupSettings::named("pds-lookups", &self.instance.name) };
        LookupSettings {
            session_timeout: Duration::from_millis(self.processing.session_timeout_ms),
            in_flight: pds.requests_in_flight,
            batch: pds.requests_in_flight.saturating_mul(8),
            kept_for: Duration::from_secs(pds.answers_kept_seconds),
            most_kept: pds.answers_kept,
            ..LookupSettings::named(&pds.group, &format!("{}-{}", pds.group, self.instance.name))
        }
    }
}
