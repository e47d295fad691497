#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "server/registry/reports.hpp"

namespace otaria::server {

/// A message that no device of the contract sends; the text is for the log.
struct BadMessage {
  std::string reason;
};

using Report = std::variant<StatusReport, StateReport, BadMessage>;

/// Reads a message from `<id>/ota/status` or `<id>/ota/state`. Any bytes may come; the id of the
/// topic, which the broker's rules protect, must be the id inside. An empty state payload (someone
/// cleared the retained message) is a BadMessage too.
Report read_message(std::string_view topic, std::string_view payload, bool retained);

}  // namespace otaria::server
