#pragma once

#include <string>
#include <vector>

#include "device/agent/agent_events.hpp"

namespace otaria::simulator {

/// Writes down, in words, what a driver delivers.
class RecordingAgent final : public device::AgentEvents {
 public:
  void on_broker_connected() override { events.emplace_back("connected"); }
  void on_broker_lost() override { events.emplace_back("lost"); }
  void on_broker_refused() override { events.emplace_back("refused"); }
  void on_message(std::span<const char> payload, std::uint32_t true_length) override {
    messages.emplace_back(payload.begin(), payload.end());
    true_lengths.push_back(true_length);
    events.emplace_back("message");
  }
  void on_published() override { events.emplace_back("published"); }
  void on_http_header(std::string_view name, std::string_view value) override {
    headers.push_back(std::string{name} + ": " + std::string{value});
  }
  void on_http_head(std::uint32_t status) override {
    events.push_back("head " + std::to_string(status));
  }
  void on_http_body(std::span<const std::uint8_t> bytes) override {
    largest_piece = std::max(largest_piece, bytes.size());
    body.append(bytes.begin(), bytes.end());
  }
  void on_http_end() override { events.emplace_back("end"); }
  void on_keys_mentioned(std::uint32_t serial, std::string_view url) override {
    events.push_back("keys " + std::to_string(serial) + " at " + std::string{url});
  }
  void on_pin_failed(std::string_view url) override {
    events.push_back("pin at " + std::string{url});
  }
  void on_http_failed(device::FetchFailure failure) override {
    events.push_back("failed " + std::to_string(static_cast<int>(failure)));
    failures.push_back(failure);
  }
  std::uint32_t run() override { return 1000; }

  std::vector<std::string> events;
  std::vector<std::string> messages;
  std::vector<std::uint32_t> true_lengths;
  std::vector<std::string> headers;
  std::vector<device::FetchFailure> failures;
  std::string body;
  std::size_t largest_piece = 0;
};

}  // namespace otaria::simulator
