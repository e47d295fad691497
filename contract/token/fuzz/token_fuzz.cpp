#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "contract/fuzz/claim.hpp"
#include "contract/token/checker.hpp"
#include "contract/token/claims_reader.hpp"
#include "contract/token/topic_filter.hpp"

using namespace otaria::token;
using otaria::contract::claim;

namespace {

void claim_bounded(const Claims& claims) {
  for (const auto* filters : {&claims.subscribe, &claims.publish}) {
    claim(filters->size() <= max_filters);
    for (const std::string& filter : *filters) claim(is_rule(filter) && covers(filter, filter));
  }
  for (const auto* name :
       {&claims.subject, &claims.username, &claims.client_id, &claims.token_id}) {
    claim(name->size() <= longest_claim);
  }
}

}  // namespace

// The input is tried as a whole token, which nobody can sign; as a header; as a payload whose
// signature was good; and as rule and request of a subscription.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const std::span bytes{data, size};
  claim(!TokenChecker{}.check(text, {}, KeySet{}, Denylist{}, 1790000000).ok());

  std::string key_id;
  if (read_header(bytes, key_id) == Refusal::none) {
    claim(!key_id.empty() && key_id.size() <= KeySet::longest_key_id);
  }
  Payload payload;
  if (read_payload(bytes, "otaria", payload) == Refusal::none) claim_bounded(payload.claims);

  const std::size_t middle = text.find('\n');
  if (middle != std::string_view::npos) {
    const std::string_view rule = text.substr(0, middle);
    const std::string_view asked = without_share(text.substr(middle + 1));
    if (matches(rule, asked)) claim(covers(rule, asked));
  }
  return 0;
}
