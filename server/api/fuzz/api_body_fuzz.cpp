// Arbitrary bytes as the body of every request that the API reads as JSON: values within their
// limits, or a refusal that says what is wrong.
#include <cstddef>
#include <cstdint>
#include <string>

#include "contract/fuzz/claim.hpp"
#include "server/api/access_json.hpp"
#include "server/api/identity_json.hpp"
#include "server/api/json.hpp"

using namespace otaria::server;
using otaria::contract::claim;

namespace {

template <class T>
bool is_read(const Outcome<T>& outcome) {
  claim(outcome || (outcome.refusal().code == "bad_request" && !outcome.refusal().detail.empty()));
  return static_cast<bool>(outcome);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string body{reinterpret_cast<const char*>(data), size};
  (void)is_read(send_request_from(body));
  if (const auto token = token_request_from(body); is_read(token)) {
    claim(token.value().name.size() <= longest_token_name);
    claim(token.value().days >= 1 && token.value().days <= most_token_days);
    claim((token.value().role == Role::agent_ci) == !token.value().product.empty());
  }
  if (const auto wishes = claim_wishes_from(body); is_read(wishes)) {
    claim(wishes.value().size() <= size);
  }
  if (const auto state = state_request_from(body); is_read(state)) {
    claim(state.value().state != IdentityState::pending);
  }
  if (const auto name = service_name_from(body); is_read(name)) claim(!name.value().empty());
  if (const auto rotation = rotation_from(body); is_read(rotation)) {
    claim(rotation.value().lead_s.value_or(0) >= 0);
  }
  // What the CLI and the dashboard read of it.
  claim(problem_code(body).size() <= size);
  return 0;
}
