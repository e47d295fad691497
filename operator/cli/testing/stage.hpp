#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>

#include "operator/cli/testing/fake_server.hpp"

namespace otaria::cli::testing {

/// otariad's REST API as far as the command line's tests need it: one release, one device, and
/// updates whose states the test sets. Refusals as the real one words them.
class Stage {
 public:
  Stage();
  [[nodiscard]] FakeServer& server() { return server_; }
  [[nodiscard]] std::string url() const { return server_.url(); }

  /// Changes an update and tells the open event streams, unless `silently`.
  void set_state(const std::string& id,
                 const std::string& state,
                 const nlohmann::json& more = nlohmann::json::object(),
                 bool silently = false);
  /// From now on `/events` answers 404, as a server without streams.
  void without_events() { events_ = false; }
  static nlohmann::json update(const std::string& id, const std::string& device);
  static constexpr const char* release_id = "01JD8Z6M5V3T4R2Q1P0N9M8K7J";

 private:
  FakeServer::Reply answer(const FakeServer::Seen& seen);
  FakeServer::Reply answer_releases(const FakeServer::Seen& seen) const;
  FakeServer::Reply answer_updates(const FakeServer::Seen& seen);
  FakeServer::Reply answer_devices(const FakeServer::Seen& seen) const;

  std::mutex mutex_;
  std::map<std::string, nlohmann::json> updates_;
  std::map<std::string, nlohmann::json> histories_;  ///< statuses of each update, oldest first
  std::atomic<bool> events_{true};
  std::int64_t now_ = 1790000000;
  FakeServer server_;
};

}  // namespace otaria::cli::testing
