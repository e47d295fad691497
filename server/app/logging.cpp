#include "server/app/logging.hpp"

#include <fmt/chrono.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace otaria::server {
namespace {

/// One JSON object per line: {"time":…,"level":…,"message":…}.
class JsonFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(message.time);
    const auto ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(message.time - seconds).count();
    const auto level = spdlog::level::to_string_view(message.level);
    fmt::format_to(std::back_inserter(out),
                   "{{\"time\":\"{:%Y-%m-%dT%H:%M:%S}.{:03}Z\",\"level\":\"{}\",\"message\":\"",
                   fmt::gmtime(std::chrono::system_clock::to_time_t(message.time)),
                   ms,
                   std::string_view{level.data(), level.size()});
    for (const char c : message.payload) append_escaped(c, out);
    out.append(std::string_view{"\"}\n"});
  }
  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JsonFormatter>();
  }

 private:
  static void append_escaped(char c, spdlog::memory_buf_t& out) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out.push_back(c);
    }
  }
};

}  // namespace

void set_up_logging(const std::string& level, const std::string& format) {
  auto logger = std::make_shared<spdlog::logger>("otariad",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %-5l %v");
  if (format == "json") logger->set_formatter(std::make_unique<JsonFormatter>());
  logger->set_level(spdlog::level::from_str(level));
  logger->flush_on(spdlog::level::debug);
  spdlog::set_default_logger(logger);
}

}  // namespace otaria::server
