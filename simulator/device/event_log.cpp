#include "simulator/device/event_log.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace otaria::simulator {

EventLog::EventLog(const std::filesystem::path& file, bool verbose)
    : out_{file.empty() ? stdout : std::fopen(file.c_str(), "ae")}, verbose_{verbose} {
  if (!out_)
    throw std::system_error{
        errno, std::generic_category(), "cannot write the log " + file.string()};
}

void EventLog::line(std::string_view area, std::string_view text) {
  const std::chrono::duration<double> since_start = std::chrono::steady_clock::now() - started_;
  std::string all = fmt::format("[{:8.3f}] {}: {}", since_start.count(), area, text);
  for (char& c : all) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7F) c = '.';
  }
  all += '\n';
  // In one piece and at once: whoever follows the log must not see half a line.
  std::fwrite(all.data(), 1, all.size(), out_.get());
  std::fflush(out_.get());
}

}  // namespace otaria::simulator
