#include <cstddef>
#include <cstdint>
#include <string_view>

#include "contract/fuzz/claim.hpp"
#include "contract/token/denylist.hpp"
#include "contract/token/key_set.hpp"

using namespace otaria::token;
using otaria::contract::claim;

// A set or a sentence, never both, and never more than it may hold. The denylist by the way.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto reading = KeySet::parse(text);
  claim(reading.keys.has_value() == reading.error.empty());
  if (reading.keys) {
    claim(reading.keys->size() >= 1 && reading.keys->size() <= KeySet::max_keys);
    claim(!reading.keys->find(""));
  }
  const auto list = Denylist::parse(text);
  claim(list.list.has_value() == list.error.empty());
  if (list.list) claim(list.list->size() <= size);
  return 0;
}
