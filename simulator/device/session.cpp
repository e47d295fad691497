#include "simulator/device/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace otaria::simulator {
namespace {

using device::ResetReason;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr milliseconds longest_wait{50};  ///< also how soon a signal or the control file is noticed
constexpr milliseconds control_period{50};
constexpr seconds time_until_planned_crash{1};
constexpr seconds longest_farewell{2};

LinkSettings link_settings(const DeviceOptions& options,
                           const device::Identity& identity,
                           TlsTrust trust) {
  return {.broker = options.broker,
          .device_id = std::string{identity.id.view()},
          .mac = std::string{identity.mac.view()},
          .token = options.token,
          .trust = std::move(trust)};
}

std::span<const std::uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// A token that the command line names is shown as it is: nobody is asked for another.
device::TokenAccess token_access(const DeviceOptions& options,
                                 const Provisioned& provisioned,
                                 device::DeviceKey& key) {
  return {.key = options.token.empty() ? &key : nullptr,
          .server = options.server.empty() ? provisioned.server : options.server,
          .claim = provisioned.claim};
}

/// The pins that a key list has for one host.
class PinCollector final : public contract::KeyListVisitor {
 public:
  explicit PinCollector(std::string_view host) : host_{host} {}
  void on_pin(std::string_view host, const contract::Digest& pin) override {
    if (host == host_) pins.push_back(pin);
  }
  std::vector<contract::Digest> pins;

 private:
  std::string_view host_;
};

}  // namespace

Session::Session(VirtualDevice& device,
                 const BootReport& report,
                 const Provisioned& provisioned,
                 std::string version)
    : owner_{device},
      log_{device.log_},
      flash_{device.flash_},
      slot_{report.slot},
      version_{std::move(version)},
      key_list_{provisioned.key_list},
      bootloader_watches_{report.on_trial},
      clock_{device.plan_},
      random_{device.options_.seed + device.starts_},
      application_{device.plan_, device.vetoes_, version_},
      link_{link_settings(device.options_, provisioned.identity, trust_of(device, provisioned)),
            [this](std::string_view text) { log_.line("mqtt", text); }},
      fetcher_{device.engine_,
               {.trust = trust_of(device, provisioned)},
               [this](std::string_view text) { log_.line("http", text); }},
      broker_tap_{link_, flash_, log_},
      fetcher_tap_{fetcher_, flash_, log_},
      device_key_{bytes_of(provisioned.device_key)},
      agent_{{.flash = flash_,
              .clock = clock_,
              .random = random_,
              .broker = broker_tap_,
              .fetcher = fetcher_tap_,
              .system = system_,
              .application = application_,
              .verifier = verifier_,
              .tokens = token_access(device.options_, provisioned, device_key_)},
             provisioned.identity,
             device.options_.policy},
      events_{agent_, fetcher_tap_, flash_, log_} {
  events_.cut_power_at(device.plan_.power_cut_at_bytes);
}

// What the command line names comes before what was provisioned; pins and time are the agent's.
TlsTrust Session::trust_of(const VirtualDevice& device, const Provisioned& provisioned) {
  const std::string& named = device.options_.ca_pem;
  return {.ca_pem = named.empty() ? provisioned.ca_pem : named,
          .pins = [this](std::string_view host) { return pins_of(host); },
          .time_floor = [this] { return agent_.time_floor(); },
          .client = {.certificate_pem = provisioned.client_certificate,
                     .key_pem = provisioned.client_key}};
}

std::vector<contract::Digest> Session::pins_of(std::string_view host) {
  PinCollector collector{host};
  contract::KeyRing* ring = agent_.key_ring();
  if (ring != nullptr && ring->walk(collector) != contract::Defect::none) {
    // A list that cannot be read vouches for nobody: this pin is no key's.
    collector.pins.emplace_back();
  }
  return collector.pins;
}

device::Status Session::start_agent(ResetReason reason) {
  contract::MemoryFile provisioned{key_list_};
  const auto status = agent_.start({.running_slot = slot_,
                                    .reset_reason = reason,
                                    .key_list = key_list_.empty() ? nullptr : &provisioned});
  if (!status) return status;
  const bool on_trial = bootloader_watches_ || !agent_.facts().confirmed;
  log_.line("agent",
            fmt::format("runs as version {}{}",
                        agent_.running_version(),
                        on_trial ? ", on trial" : ", confirmed"));
  const FaultPlan& plan = owner_.plan_;
  if (on_trial && plan.no_network_in_trial.contains(version_)) {
    log_.line("fault", "no network in this trial");
    link_.set_network(false);
  }
  if (on_trial && plan.crash_in_trial.contains(version_)) {
    panic_at_ = steady_clock::now() + time_until_planned_crash;
  }
  const auto now = steady_clock::now();
  next_run_ = now;
  next_control_ = now;
  next_telemetry_ = now + owner_.options_.telemetry;
  return {};
}

VirtualDevice::Outcome Session::run(ResetReason reason) {
  if (const auto status = start_agent(reason); !status) {
    if (!flash_.powered()) return owner_.power_lost();
    return owner_.unusable(fmt::format("the agent cannot start: {} ({} at 0x{:x})",
                                       contract::name_of(status.error().fault),
                                       status.error().found,
                                       status.error().expected));
  }
  while (true) {
    if (const auto outcome = turn()) return *outcome;
  }
}

std::optional<VirtualDevice::Outcome> Session::turn() {
  if (const auto end = owner_.ended()) return leave(*end);
  if (target_is_confirmed()) return leave(VirtualDevice::End::confirmed);
  wait();
  link_.step();
  owner_.engine_.step();
  deliver_events();
  const auto now = steady_clock::now();
  if (!is_over() && now >= next_run_) run_agent();
  if (now >= next_control_) {
    next_control_ = now + control_period;
    if (owner_.obey_control()) return VirtualDevice::Outcome{ResetReason::panic, {}};
  }
  if (!flash_.powered()) return owner_.power_lost();
  if (system_.restart_requested()) {
    finish_sending();
    log_.line("chip", "restarts");
    return VirtualDevice::Outcome{ResetReason::software, {}};
  }
  if (panic_at_ && now >= *panic_at_) {
    log_.line("fault", fmt::format("version {} panics in its trial", version_));
    return VirtualDevice::Outcome{ResetReason::panic, {}};
  }
  send_telemetry();
  return std::nullopt;
}

void Session::wait() {
  const auto until_run = std::chrono::ceil<milliseconds>(next_run_ - steady_clock::now());
  const auto limit = std::clamp(until_run, milliseconds{0}, longest_wait);
  curl_waitfd broker{};
  broker.fd = link_.socket();
  broker.events =
      static_cast<short>(CURL_WAIT_POLLIN | (link_.wants_write() ? CURL_WAIT_POLLOUT : 0));
  owner_.engine_.wait(broker.fd >= 0 ? std::span{&broker, 1} : std::span<curl_waitfd>{}, limit);
}

void Session::deliver_events() {
  while (!is_over() && link_.deliver_next(events_)) run_agent();
  while (!is_over() && fetcher_.deliver_next(events_)) run_agent();
}

void Session::run_agent() {
  if (is_over()) return;
  next_run_ = steady_clock::now() + milliseconds{events_.run()};
  tell_progress();
}

bool Session::is_over() const {
  return !flash_.powered() || system_.restart_requested();
}

void Session::tell_progress() {
  if (agent_.step() != told_step_) {
    told_step_ = agent_.step();
    log_.line("agent", device::row_of(told_step_).does);
  }
  if (!told_fatal_ && flash_.powered() && agent_.fatal().fault != contract::Fault::none) {
    told_fatal_ = true;
    log_.line("agent",
              fmt::format("gives up until the next start: flash failed at 0x{:x}",
                          agent_.fatal().expected));
  }
}

bool Session::target_is_confirmed() const {
  const std::string& target = owner_.options_.exit_when_confirmed;
  if (target.empty() || agent_.running_version() != target || !agent_.facts().confirmed)
    return false;
  if (agent_.ledger().current() || !link_.is_connected()) return false;
  const device::Outcome* last = agent_.ledger().latest_outcome();
  return last == nullptr || last->acknowledged;
}

void Session::send_telemetry() {
  if (owner_.options_.telemetry.count() == 0 || steady_clock::now() < next_telemetry_) return;
  next_telemetry_ = steady_clock::now() + owner_.options_.telemetry;
  // Heap and signal are invented: there is neither. They move a little so that a chart shows
  // something.
  const std::uint32_t noise = random_.next();
  link_.publish_telemetry(fmt::format(R"({{"version":"{}","uptime_s":{},"heap":{},"rssi":{}}})",
                                      agent_.running_version(),
                                      clock_.monotonic_ms() / 1000,
                                      231'000 + noise % 4096,
                                      -58 - static_cast<int>(noise >> 28)));
}

// A planned restart: the agent has said goodbye to the broker, which must leave the socket first.
void Session::finish_sending() {
  const auto limit = steady_clock::now() + longest_farewell;
  while (link_.is_connected() && steady_clock::now() < limit) {
    next_run_ = limit;
    wait();
    link_.step();
  }
}

VirtualDevice::Outcome Session::leave(VirtualDevice::End end) {
  log_.line("chip", "is switched off");
  link_.leave();
  finish_sending();
  return {ResetReason::power_on, end};
}

}  // namespace otaria::simulator
