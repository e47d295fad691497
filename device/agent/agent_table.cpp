// otaria_agent_table: the agent's table of steps as it stands in docs/spec/agent.md.
//
//   otaria_agent_table          prints it
//   otaria_agent_table FILE     exit 1 when FILE does not hold exactly this table
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>

#include "device/agent/identity.hpp"
#include "device/agent/steps.hpp"

namespace otaria::device {
namespace {

std::string_view name_of(Step step) {
  constexpr std::array<std::string_view, 20> names{
      "idle",        "fetching_manifest", "fetching_keys", "fetch_waiting", "judging",
      "delaying",    "awaiting_notice",   "preparing",     "requesting",    "streaming",
      "backing_off", "awaiting_url",      "verifying",     "rehashing",     "selecting",
      "installed",   "rebooting",         "on_trial",      "going_back",    "halted"};
  static_assert(names.size() == steps.size());
  return names[static_cast<std::size_t>(step)];
}

std::string words_of(AtMost limit) {
  const Policy defaults;
  const auto hours = [](std::uint32_t seconds) { return std::to_string(seconds / 3600) + " h"; };
  switch (limit) {
    case AtMost::unlimited:
      return "no limit";
    case AtMost::veto_limit:
      return hours(defaults.veto_limit_s) + " of vetoes";
    case AtMost::absent_notice_limit:
      return hours(defaults.absent_notice_limit_s) + " connected";
    case AtMost::expired_url_limit:
      return hours(defaults.expired_url_limit_s) + " connected";
    case AtMost::stall_window:
      return std::to_string(defaults.stall_window_ms / 1000) + " s with less than " +
             std::to_string(defaults.stall_minimum_bytes) + " bytes";
    case AtMost::retry_wait:
      return "the back-off, or what Retry-After asks for";
    case AtMost::one_pass:
      return "its own work";
    case AtMost::flush_wait:
      return std::to_string(defaults.rebooting_flush_ms / 1000) + " s";
    case AtMost::trial_timeout:
      return std::to_string(defaults.trial_timeout_s) + " s";
  }
  return {};
}

std::string table() {
  std::ostringstream out;
  out << "| step | does | at most | done | failed or late |\n|---|---|---|---|---|\n";
  for (const StepRow& row : steps) {
    out << "| `" << name_of(row.step) << "` | " << row.does << " | " << words_of(row.at_most)
        << " | `" << name_of(row.if_done) << "` | `" << name_of(row.if_failed) << "` |\n";
  }
  return out.str();
}

bool holds_table(const char* file) {
  std::ifstream in{file};
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  // Framed by empty lines: a row too many is a difference as well.
  return text.find("\n\n" + table() + "\n") != std::string::npos;
}

}  // namespace
}  // namespace otaria::device

int main(int argc, char** argv) {
  if (argc > 2) {
    std::cerr << "usage: otaria_agent_table [FILE]\n";
    return 2;
  }
  if (argc == 1) {
    std::cout << otaria::device::table();
    return 0;
  }
  if (otaria::device::holds_table(argv[1])) return 0;
  std::cerr << argv[1] << " does not hold the table of steps as steps.hpp has it; it should be:\n\n"
            << otaria::device::table();
  return 1;
}
