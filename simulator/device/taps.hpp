#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>

#include "device/agent/agent_events.hpp"
#include "device/ports/broker_link.hpp"
#include "device/ports/fetcher.hpp"
#include "simulator/chip/virtual_flash.hpp"
#include "simulator/device/event_log.hpp"

/// Stand between the agent and its ports: they tell the log, and a chip without power does nothing.
namespace otaria::simulator {

class BrokerTap final : public device::BrokerLink {
 public:
  BrokerTap(BrokerLink& link, const VirtualFlash& flash, EventLog& log)
      : link_{link}, flash_{flash}, log_{log} {}

  void connect(const Login& login, std::string_view will) override {
    if (!flash_.powered()) return;
    log_.detail("mqtt", "connecting");
    link_.connect(login, will);
  }
  void subscribe_to_notices() override {
    if (flash_.powered()) link_.subscribe_to_notices();
  }
  void publish(Topic topic, std::string_view payload) override {
    if (!flash_.powered()) return;
    log_.line(topic == Topic::status ? "status" : "state", payload);
    link_.publish(topic, payload);
  }
  void disconnect() override {
    if (!flash_.powered()) return;
    log_.detail("mqtt", "disconnecting");
    link_.disconnect();
  }

 private:
  BrokerLink& link_;
  const VirtualFlash& flash_;
  EventLog& log_;
};

class FetcherTap final : public device::Fetcher {
 public:
  FetcherTap(Fetcher& fetcher, const VirtualFlash& flash, EventLog& log)
      : fetcher_{fetcher}, flash_{flash}, log_{log} {}

  void get(const Request& request) override {
    if (!flash_.powered()) return;
    if (request.content_type.empty()) {
      log_.line("http", fmt::format("GET {} from byte {}", request.url, request.offset));
    } else {
      log_.line("http", fmt::format("POST {}", request.url));  // the body proves who we are
    }
    offset_ = request.offset;
    fetcher_.get(request);
  }
  void cancel() override { fetcher_.cancel(); }
  [[nodiscard]] std::uint32_t offset() const { return offset_; }

 private:
  Fetcher& fetcher_;
  const VirtualFlash& flash_;
  EventLog& log_;
  std::uint32_t offset_ = 0;
};

/// Events on their way to the agent. Cuts the power where the plan says so, before the agent sees
/// the bytes.
class EventTap final : public device::AgentEvents {
 public:
  EventTap(AgentEvents& agent, const FetcherTap& fetcher, VirtualFlash& flash, EventLog& log)
      : agent_{agent}, fetcher_{fetcher}, flash_{flash}, log_{log} {}

  /// The power goes when the download reaches this byte; the plan's entry is taken out then.
  void cut_power_at(std::optional<std::uint64_t>& bytes) { cut_at_ = &bytes; }

  void on_broker_connected() override {
    log_.line("mqtt", "connected");
    agent_.on_broker_connected();
  }
  void on_broker_lost() override { agent_.on_broker_lost(); }
  void on_broker_refused() override {
    log_.line("mqtt", "the broker refuses the token");
    agent_.on_broker_refused();
  }
  void on_message(std::span<const char> payload, std::uint32_t true_length) override {
    log_.line(
        "notice",
        true_length == 0 ? "withdrawn (empty)" : std::string_view{payload.data(), payload.size()});
    agent_.on_message(payload, true_length);
  }
  void on_published() override { agent_.on_published(); }
  void on_http_header(std::string_view name, std::string_view value) override {
    log_.detail("http", fmt::format("{}: {}", name, value));
    agent_.on_http_header(name, value);
  }
  void on_http_head(std::uint32_t status) override {
    log_.line("http", fmt::format("answer {}", status));
    reached_ = status == 206 ? fetcher_.offset() : 0;
    agent_.on_http_head(status);
  }
  void on_http_body(std::span<const std::uint8_t> bytes) override {
    reached_ += bytes.size();
    if (cut_at_ != nullptr && *cut_at_ && reached_ >= **cut_at_) {
      log_.line("fault", fmt::format("power cut at byte {} of the download", **cut_at_));
      cut_at_->reset();
      flash_.cut_power_now();
      return;
    }
    agent_.on_http_body(bytes);
  }
  void on_http_end() override {
    log_.line("http", fmt::format("body complete, at byte {}", reached_));
    agent_.on_http_end();
  }
  void on_http_failed(device::FetchFailure failure) override { agent_.on_http_failed(failure); }
  void on_keys_mentioned(std::uint32_t serial, std::string_view url) override {
    agent_.on_keys_mentioned(serial, url);
  }
  void on_pin_failed(std::string_view url) override { agent_.on_pin_failed(url); }
  std::uint32_t run() override { return agent_.run(); }

 private:
  AgentEvents& agent_;
  const FetcherTap& fetcher_;
  VirtualFlash& flash_;
  EventLog& log_;
  std::optional<std::uint64_t>* cut_at_ = nullptr;
  std::uint64_t reached_ = 0;
};

}  // namespace otaria::simulator
