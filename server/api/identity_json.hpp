#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/http/message.hpp"
#include "server/identity/issuer.hpp"
#include "server/identity/registrar.hpp"
#include "server/identity/token_exchange.hpp"
#include "server/registry/identity.hpp"

/// JSON of identities, claims and tokens for brokers; json.hpp's rules hold here too.
namespace otaria::server {

std::string json_of(const DeviceIdentity& identity);
std::string json_of(const ServiceIdentity& service);
std::string json_of(const ImportResult& result);
std::string json_of(const std::vector<MadeClaim>& claims);
std::string json_of(const DeviceToken& token);
std::string json_of(const TokenExchange::ServiceToken& token);
std::string json_of(const IssuerKeyState& key);
std::string nonce_json(const std::string& nonce);

/// Problem details with further members: `nonce`, `state` or `errors`, where given.
struct ProblemExtras {
  std::optional<std::string> nonce = {};
  std::optional<IdentityState> state = {};
  std::vector<ImportError> errors = {};
};
Response problem(const Refusal& refusal, const ProblemExtras& extras);

/// Bodies of requests. Code bad_request.
Outcome<std::vector<ClaimWish>> claim_wishes_from(const std::string& body);
struct StateRequest {
  IdentityState state = IdentityState::suspended;
  std::string reason;
};
Outcome<StateRequest> state_request_from(const std::string& body);
Outcome<std::string> service_name_from(const std::string& body);
Outcome<Issuer::Rotation> rotation_from(const std::string& body);

}  // namespace otaria::server
