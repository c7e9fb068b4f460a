//! Administration: what the token of `--admin-token` opens.

use http::HeaderMap;
use utoipa::{Modify, openapi::OpenApi};

use super::{Kit, auth::add_bearer, http::need_token, problem::Problem};

/// 403 where there is no administration, 401 without its token.
pub fn admin_only(kit: &Kit, headers: &HeaderMap) -> Result<(), Problem> {
    let Some(token) = &kit.settings.server.admin_token else {
        return Err(Problem::forbidden("administration is closed here: start with --admin-token"));
    };
    need_token(headers, token, "administration needs the token of --admin-token as bearer")
}

/// Tells in an OpenAPI document what the security scheme `admin` is.
pub struct Admin;

impl Modify for Admin {
    fn modify(&self, document: &mut OpenApi) {
        add_bearer(document, "admin", "The token of --admin-token");
    }
}
