// Files and names that an operator hands to `otaria key`, `keylist` and `release`, perhaps from
// somebody else: what is read writes back to the same, the rest is a KeyError that says what to do.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "contract/fuzz/claim.hpp"
#include "operator/keys/key_error.hpp"
#include "operator/keys/key_list_draft.hpp"
#include "operator/keys/key_reference.hpp"
#include "operator/keys/manifest_text.hpp"

using namespace otaria;
using contract::claim;

namespace {

template <class Work>
void try_to(Work work) {
  try {
    work();
  } catch (const keys::KeyError& error) {
    claim(!error.code.empty() && !error.hint.empty());
  }
}

void read_list(std::string_view text) {
  const keys::KeyListText list = keys::read_key_list_text(text);
  const keys::KeyListDraft draft = keys::draft_of(list.payload);
  const std::string payload = keys::payload_of(draft);
  claim(keys::payload_of(keys::draft_of(payload)) == payload);
  claim(keys::view_of(payload).serial == draft.serial);
}

void read_manifest(std::string_view text) {
  const contract::Manifest manifest = keys::manifest_of(text);
  const std::string payload = keys::manifest_payload(manifest);
  claim(payload.size() <= text.size() + 4096);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  try_to([&] { read_list(text); });
  try_to([&] { read_manifest(text); });
  try_to([&] { (void)keys::parse_key_reference(text); });
  // Shown to people and in logs: never what stands in a query, such as where the PIN is.
  if (text.starts_with("pkcs11:")) {
    claim(keys::display_name(text).find('?') == std::string::npos);
  }
  return 0;
}
