#pragma once

#include "server/api/services.hpp"
#include "server/http/message.hpp"
#include "server/http/router.hpp"

/// One function per row of the endpoint table; what each answers stands in docs/spec/rest.md.
/// Called by several threads at once; may block.
namespace otaria::server {

inline constexpr std::uint64_t largest_image_bytes = 16u << 20;
inline constexpr std::uint64_t largest_import_bytes = 32u << 20;

// release_handlers.cpp
Response publish_release(const Request& request, const PathParameters&, Services& services);
Response list_releases(const Request& request, const PathParameters&, Services& services);
Response show_release(const Request& request, const PathParameters& path, Services& services);
Response send_image(const Request& request, const PathParameters& path, Services& services);

// trust_handlers.cpp
Response publish_key_list(const Request& request, const PathParameters&, Services& services);
Response show_key_list(const Request& request, const PathParameters&, Services& services);
Response send_newest_key_list(const Request& request, const PathParameters&, Services& services);
Response send_key_list(const Request& request, const PathParameters& path, Services& services);
Response send_manifest(const Request& request, const PathParameters& path, Services& services);

// device_handlers.cpp
Response list_devices(const Request& request, const PathParameters&, Services& services);
Response show_device(const Request& request, const PathParameters& path, Services& services);
Response list_statuses(const Request& request, const PathParameters& path, Services& services);

// update_handlers.cpp
Response send_updates(const Request& request, const PathParameters&, Services& services);
Response list_updates(const Request& request, const PathParameters&, Services& services);
Response show_update(const Request& request, const PathParameters& path, Services& services);
Response withdraw_update(const Request& request, const PathParameters& path, Services& services);

// token_handlers.cpp
Response create_token(const Request& request, const PathParameters&, Services& services);
Response list_tokens(const Request& request, const PathParameters&, Services& services);
Response revoke_token(const Request& request, const PathParameters& path, Services& services);

// approval_handlers.cpp
Response list_approvals(const Request& request, const PathParameters&, Services& services);
Response show_approval(const Request& request, const PathParameters& path, Services& services);
Response approve(const Request& request, const PathParameters& path, Services& services);
Response reject(const Request& request, const PathParameters& path, Services& services);

// audit_handlers.cpp
Response list_audit(const Request& request, const PathParameters&, Services& services);

// identity_handlers.cpp
Response import_devices(const Request& request, const PathParameters&, Services& services);
Response make_claims(const Request& request, const PathParameters&, Services& services);
Response set_device_state(const Request& request, const PathParameters& path, Services& services);
Response list_identities(const Request& request, const PathParameters&, Services& services);
Response show_identity(const Request& request, const PathParameters& path, Services& services);
Response make_service_token(const Request& request, const PathParameters&, Services& services);
Response list_services(const Request& request, const PathParameters&, Services& services);
Response revoke_service(const Request& request, const PathParameters& path, Services& services);
Response show_issuer(const Request& request, const PathParameters&, Services& services);
Response rotate_issuer(const Request& request, const PathParameters&, Services& services);

// enrolment_handlers.cpp
Response make_nonce(const Request& request, const PathParameters&, Services& services);
Response enrol_device(const Request& request, const PathParameters&, Services& services);
Response exchange_token(const Request& request, const PathParameters&, Services& services);
Response send_jwks(const Request& request, const PathParameters&, Services& services);
Response rabbitmq_user(const Request& request, const PathParameters&, Services& services);
Response rabbitmq_vhost(const Request& request, const PathParameters&, Services& services);
Response rabbitmq_resource(const Request& request, const PathParameters&, Services& services);
Response rabbitmq_topic(const Request& request, const PathParameters&, Services& services);

// event_handlers.cpp
Response follow_events(const Request& request, const PathParameters&, Services& services);

// server_handlers.cpp
Response show_server(const Request& request, const PathParameters&, Services& services);
Response show_health(const Request& request, const PathParameters&, Services& services);
Response show_readiness(const Request& request, const PathParameters&, Services& services);
Response show_page(const Request& request, const PathParameters&, Services& services);

// metrics.cpp
Response show_metrics(const Request& request, const PathParameters&, Services& services);

}  // namespace otaria::server
