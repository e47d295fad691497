// The first line is a topic, the rest a payload: what a broker that nobody watches may deliver. A
// report speaks of the device whose topic it came on, or it is none. And the topic as a broker's
// URL.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "contract/fuzz/claim.hpp"
#include "contract/vocabulary.hpp"
#include "server/broker/broker_url.hpp"
#include "server/broker/message_reader.hpp"

using namespace otaria::server;
using otaria::contract::claim;

namespace {

void read_report(std::string_view topic, std::string_view payload) {
  const Report report = read_message(topic, payload, true);
  if (const auto* bad = std::get_if<BadMessage>(&report)) {
    claim(!bad->reason.empty());
    return;
  }
  const auto* status = std::get_if<StatusReport>(&report);
  const std::string& id = status != nullptr ? status->id : std::get<StateReport>(report).id;
  claim(otaria::contract::is_device_id(id));
  claim(topic.starts_with(id + '/'));
}

void read_url(std::string_view text) {
  const auto url = parse_broker_url(text);
  if (!url) return claim(!url.refusal().detail.empty());
  claim(!url.value().host.empty() && url.value().port > 0);
  // Shown without its password it is the same place.
  const auto again = parse_broker_url(url.value().shown());
  claim(again && again.value().host == url.value().host && again.value().port == url.value().port);
  claim(again.value().tls == url.value().tls && again.value().password.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const std::string_view line = text.substr(0, text.find('\n'));
  read_report(line, text.substr(line.size() == size ? size : line.size() + 1));
  read_url(line);
  return 0;
}
