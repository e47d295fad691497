#pragma once

#include <curl/curl.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "device/agent/agent_events.hpp"
#include "device/ports/fetcher.hpp"
#include "simulator/net/tls_trust.hpp"

namespace otaria::simulator {

class CurlFetcher;

/// The sockets of any number of fetchers, and whatever else is to be waited for, in one thread.
class CurlEngine {
 public:
  CurlEngine();
  CurlEngine(const CurlEngine&) = delete;
  CurlEngine& operator=(const CurlEngine&) = delete;
  /// Every fetcher must be gone before.
  ~CurlEngine();

  /// Sleeps until a transfer or one of `others` can go on, at most `limit`.
  void wait(std::span<curl_waitfd> others, std::chrono::milliseconds limit);
  /// Moves all transfers on without blocking; what arrived waits in the fetchers.
  void step();

 private:
  friend class CurlFetcher;
  CURLM* multi_;
};

struct FetchSettings {
  TlsTrust trust;
  std::string user_agent = "otaria-device";
  std::chrono::seconds connect_limit{10};
};

/// Fetcher over libcurl: HTTP/1.1, streamed, connections kept alive.
///
/// Use        CurlEngine::step(), then deliver_next() until it returns false.
/// Pieces     of at most 512 bytes; at most 64 KiB wait here before the transfer is paused.
/// Redirects  at most 3, never from https to http; the agent sees the last response only. A bearer
///            token goes to its own origin only; a POST follows none.
/// TLS        certificates, host names and pins are always verified (tls_trust.hpp); there is no
///            switch. Each request has a handshake of its own: many devices share the engine, and
///            what one of them trusts must not serve another.
/// Limits     connecting 10 s; no limit for the whole: the agent watches for stalls.
/// Proxies    none, whatever the environment says.
class CurlFetcher final : public device::Fetcher {
 public:
  using Tell = std::function<void(std::string_view)>;
  static constexpr std::size_t piece_bytes = 512;

  CurlFetcher(CurlEngine& engine, FetchSettings settings, Tell tell);
  CurlFetcher(const CurlFetcher&) = delete;
  CurlFetcher& operator=(const CurlFetcher&) = delete;
  ~CurlFetcher();

  void get(const Request& request) override;
  void cancel() override;

  /// False when nothing was left to deliver.
  bool deliver_next(device::AgentEvents& agent);
  [[nodiscard]] bool is_busy() const { return running_ || has_events(); }

 private:
  friend class CurlEngine;
  static constexpr int max_redirects = 3;
  static constexpr std::size_t max_waiting_bytes = std::size_t{64} * 1024;
  static constexpr std::size_t max_header_bytes = std::size_t{16} * 1024;
  static constexpr std::size_t max_redirect_body_bytes = std::size_t{64} * 1024;

  static std::size_t on_header_line(char* line, std::size_t one, std::size_t length, void* self);
  static std::size_t on_body(char* bytes, std::size_t one, std::size_t length, void* self);

  void start();
  void set_options();
  void set_tls_options();
  void set_request_headers();
  static CURLcode on_tls_context(CURL* easy, void* context, void* self);
  void stop();
  void take_header_line(std::string_view line);
  void end_of_headers();
  std::size_t take_body(std::string_view bytes);
  void finished(CURLcode result);
  void fail(device::FetchFailure failure, std::string_view why);
  [[nodiscard]] bool has_events() const;

  CurlEngine& engine_;
  FetchSettings settings_;
  Tell tell_;
  CURL* easy_;
  curl_slist* request_headers_ = nullptr;

  std::string url_;
  std::uint32_t offset_ = 0;
  std::string if_range_;
  std::string bearer_;
  std::string content_type_;  ///< not empty: a POST of post_body_
  std::string post_body_;
  bool with_pins_ = true;
  std::unique_ptr<TlsJudge> judge_;
  int redirects_ = 0;
  bool running_ = false;  ///< handed to the engine
  bool paused_ = false;
  bool is_redirect_ = false;
  std::size_t skipped_bytes_ = 0;  ///< of a redirect's body

  std::deque<std::pair<std::string, std::string>> headers_;
  std::size_t header_bytes_ = 0;
  std::uint32_t status_ = 0;
  bool head_complete_ = false;  ///< of the response the agent sees
  bool head_waits_ = false;
  std::string body_;
  std::size_t body_taken_ = 0;
  bool end_waits_ = false;
  std::optional<device::FetchFailure> failure_waits_;
};

}  // namespace otaria::simulator
