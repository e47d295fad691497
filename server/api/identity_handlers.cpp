#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "server/access/caller.hpp"
#include "server/api/handlers.hpp"
#include "server/api/identity_json.hpp"
#include "server/api/problem.hpp"
#include "server/api/replies.hpp"
#include "server/identity/identity_service.hpp"

/// What operators do with identities, claims and the issuer.
namespace otaria::server {
namespace {

constexpr std::size_t most_shown_errors = 50;

std::string whole_body(const Request& request) {
  if (!request.body_file) return request.body;
  std::string body(request.body_file->size, '\0');
  for (std::size_t offset = 0; offset < body.size();) {
    const ssize_t got = pread(request.body_file->descriptor,
                              body.data() + offset,
                              body.size() - offset,
                              static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw std::system_error{errno, std::generic_category(), "reading an upload"};
    offset += static_cast<std::size_t>(got);
  }
  return body;
}

Response import_refused(ImportResult result) {
  const Refusal refusal{
      "import_refused",
      std::to_string(result.errors.size()) +
          " of the list's lines cannot be taken; nothing was. "
          "The first is line " +
          std::to_string(result.errors[0].line) + ": " + result.errors[0].detail,
      "correct the lines and import the list again: what is registered already is passed over"};
  if (result.errors.size() > most_shown_errors) result.errors.resize(most_shown_errors);
  ProblemExtras extras;
  extras.errors = std::move(result.errors);
  return problem(refusal, extras);
}

}  // namespace

Response import_devices(const Request& request, const PathParameters&, Services& services) {
  const std::string body = whole_body(request);
  const std::size_t first = body.find_first_not_of(" \t\r\n");
  const bool json = first != std::string::npos && (body[first] == '[' || body[first] == '{');
  ImportList list = json ? read_import_json(body) : read_import_csv(body);
  ImportResult result;
  if (list.errors.empty()) {
    result =
        services.identity.registrar.import(std::move(list.rows), *request.caller, services.now());
  } else {
    result.errors = std::move(list.errors);
  }
  if (!result.errors.empty()) return import_refused(std::move(result));
  return json_reply(json_of(result));
}

Response make_claims(const Request& request, const PathParameters&, Services& services) {
  const auto wishes = claim_wishes_from(whole_body(request));
  if (!wishes) return problem(wishes.refusal());
  const auto claims =
      services.identity.registrar.make_claims(wishes.value(), *request.caller, services.now());
  if (!claims) return problem(claims.refusal());
  return json_reply(json_of(claims.value()), 201);
}

Response set_device_state(const Request& request, const PathParameters& path, Services& services) {
  const auto wanted = state_request_from(request.body);
  if (!wanted) return problem(wanted.refusal());
  const auto identity = services.identity.registrar.set_state(
      path[0], wanted.value().state, wanted.value().reason, *request.caller, services.now());
  if (!identity) return problem(identity.refusal());
  return json_reply(json_of(identity.value()));
}

Response list_identities(const Request& request, const PathParameters&, Services& services) {
  const auto slice = slice_from(request);
  if (!slice) return problem(slice.refusal());
  IdentityFilter filter{.text = parameter(request, "q").value_or("")};
  if (const auto state = parameter(request, "state")) {
    filter.state = identity_state_from(*state);
    if (!filter.state) {
      return problem({"bad_request",
                      "`state` is none of pending, active, suspended, revoked, retired",
                      "leave it out for all"});
    }
  }
  std::vector<DeviceIdentity> identities;
  services.store.read(
      [&](StoreView& view) { identities = view.identities(filter, one_more(slice.value())); });
  return list_reply<DeviceIdentity>(
      std::move(identities),
      slice.value(),
      [](const DeviceIdentity& identity) { return json_of(identity); },
      [](const DeviceIdentity& identity) { return std::to_string(identity.ordinal); });
}

Response show_identity(const Request&, const PathParameters& path, Services& services) {
  std::optional<DeviceIdentity> identity;
  services.store.read([&](StoreView& view) { identity = view.identity(path[0]); });
  if (!identity) {
    return problem({"unknown_device",
                    "no device \"" + path[0] + "\" is registered",
                    "otaria device import FILE or otaria device claim registers one"});
  }
  return json_reply(json_of(*identity));
}

Response make_service_token(const Request& request, const PathParameters&, Services& services) {
  const auto name = service_name_from(request.body);
  if (!name) return problem(name.refusal());
  const auto token =
      services.identity.exchange.mint_service(name.value(), *request.caller, services.now());
  if (!token) return problem(token.refusal());
  services.identity.publish(services.now());
  return json_reply(json_of(token.value()), 201);
}

Response list_services(const Request& request, const PathParameters&, Services& services) {
  const auto slice = slice_from(request);
  if (!slice) return problem(slice.refusal());
  std::vector<ServiceIdentity> found;
  services.store.read([&](StoreView& view) { found = view.services(one_more(slice.value())); });
  return list_reply<ServiceIdentity>(
      std::move(found),
      slice.value(),
      [](const ServiceIdentity& service) { return json_of(service); },
      [](const ServiceIdentity& service) { return service.name; });
}

Response revoke_service(const Request& request, const PathParameters& path, Services& services) {
  const auto service =
      services.identity.registrar.revoke_service(path[0], *request.caller, services.now());
  if (!service) return problem(service.refusal());
  return json_reply(json_of(service.value()));
}

Response show_issuer(const Request&, const PathParameters&, Services& services) {
  std::vector<std::string> keys;
  for (const IssuerKeyState& key : services.identity.issuer.keys(services.now())) {
    keys.push_back(json_of(key));
  }
  return json_reply(list_json(keys, ""));
}

Response rotate_issuer(const Request& request, const PathParameters&, Services& services) {
  const auto rotation = rotation_from(request.body);
  if (!rotation) return problem(rotation.refusal());
  contract::AuditEvent audit;
  audit.at = services.now();
  audit.actor = request.caller->actor;
  audit.source = request.caller->source;
  audit.verb = "issuer.rotate";
  audit.outcome = "done";
  audit.detail = contract::audit_detail({{"withdraw_old", rotation.value().withdraw_old}});
  const auto key = services.identity.issuer.rotate(rotation.value(), audit, services.now());
  if (!key) return problem(key.refusal());
  request.caller->audited = true;
  services.identity.publish(services.now());
  return json_reply(json_of(IssuerKeyState{key.value(),
                                           key.value().use_from <= services.now(),
                                           key.value().use_from > services.now()}),
                    201);
}

}  // namespace otaria::server
