#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "operator/cli/client.hpp"
#include "operator/cli/terminal/text.hpp"

namespace otaria::cli {

/// One device's update as the server tells it, in plain members.
struct UpdateView {
  std::string id;
  std::string device;
  std::string target;
  std::string from;  ///< empty: unknown
  std::string state;
  unsigned percent = 0;
  std::uint64_t bytes = 0;
  std::uint64_t total = 0;
  std::string error_code;
  std::string error_detail;
  std::string error_hint;
  std::int64_t created_at = 0;
  std::int64_t updated_at = 0;
  bool delivered = false;
  bool is_final = false;

  [[nodiscard]] bool succeeded() const { return state == "succeeded"; }
  /// Final, or given up by the server after a deadline passed in silence.
  [[nodiscard]] bool ended() const { return is_final || state == "stale"; }
};

UpdateView update_view(const Json& update);

/// Green: succeeded; red: an end that is none; yellow: waits for something; none: under way.
terminal::Colour colour_of(const std::string& state);

/// `self_test_failed: 2 of 3 sensors answered. Check the wiring.`; empty without an error.
std::string error_text(const UpdateView& update);

}  // namespace otaria::cli
