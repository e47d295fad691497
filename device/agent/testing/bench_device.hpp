#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "contract/host/codec.hpp"
#include "device/agent/agent.hpp"
#include "device/agent/testing/signing_desk.hpp"
#include "device/agent/testing/test_image.hpp"
#include "device/identity/psa_device_key.hpp"
#include "device/ports/fake_flash.hpp"

/// A device on the bench, for tests on the host: the real agent and the modelled bootloader on fake
/// flash, with a broker, a file server and a clock that the test owns. Nothing here waits: time is
/// what the test says.
namespace otaria::device::testing {

class BenchClock final : public Clock {
 public:
  [[nodiscard]] std::uint64_t monotonic_ms() const override { return ms; }
  [[nodiscard]] std::optional<std::uint32_t> unix_s() const override {
    if (!unix_at_zero) return std::nullopt;
    return static_cast<std::uint32_t>(*unix_at_zero + ms / 1000);
  }
  std::uint64_t ms = 0;
  std::optional<std::uint32_t> unix_at_zero;
};

class BenchRandom final : public Random {
 public:
  std::uint32_t next() override { return state = state * 1664525U + 1013904223U; }
  std::uint32_t state = 1;
};

class BenchApplication final : public Application {
 public:
  Answer may_download() override { return veto_download ? Answer::not_now : Answer::yes; }
  Answer may_reboot() override { return veto_reboot ? Answer::not_now : Answer::yes; }
  void about_to_reboot() override { ++warned; }
  Health self_test() override { return health; }
  bool veto_download = false;
  bool veto_reboot = false;
  int warned = 0;
  Health health = Health::passed;
};

struct Sent {
  std::string topic;  ///< "status" or "state"
  std::string payload;
  std::uint64_t at_ms = 0;
};

/// The broker as this device sees it: keeps the retained notice and everything the device
/// published.
class BenchBroker final : public BrokerLink {
 public:
  using Event = std::function<void(AgentEvents&)>;

  void connect(const Login& login, std::string_view will) override {
    id = login.id;
    token = login.token;
    ++connects;
    last_will = will;
    if (reachable && !cut_off && wrong_pin) {
      events.emplace_back([](AgentEvents& agent) { agent.on_pin_failed({}); });
      events.emplace_back([](AgentEvents& agent) { agent.on_broker_lost(); });
    } else if (reachable && !cut_off && refuses) {
      events.emplace_back([](AgentEvents& agent) { agent.on_broker_refused(); });
      events.emplace_back([](AgentEvents& agent) { agent.on_broker_lost(); });
    } else if (reachable && !cut_off) {
      online = true;
      events.emplace_back([](AgentEvents& agent) { agent.on_broker_connected(); });
    } else {
      events.emplace_back([](AgentEvents& agent) { agent.on_broker_lost(); });
    }
  }
  void subscribe_to_notices() override {
    ++subscribes;
    if (online && retained) deliver(*retained);
  }
  void publish(Topic topic, std::string_view payload) override {
    if (!online) return;
    ++under_way;
    most_under_way = std::max(most_under_way, under_way);
    sent.push_back({topic == Topic::state ? "state" : "status", std::string{payload}, clock->ms});
    if (swallow_acknowledgements) return;
    events.emplace_back([this](AgentEvents& agent) {
      --under_way;
      agent.on_published();
    });
  }
  void disconnect() override {
    if (!online) return;
    ++clean_disconnects;
    drop_quietly();
    events.emplace_back([](AgentEvents& agent) { agent.on_broker_lost(); });
  }
  /// A notice arrives, and stays retained.
  void offer(const std::string& payload) {
    retained = payload.empty() ? std::nullopt : std::optional{payload};
    if (online) deliver(payload);
  }
  void deliver(const std::string& payload) {
    events.emplace_back([payload](AgentEvents& agent) {
      const std::size_t kept = std::min<std::size_t>(payload.size(), contract::max_packet_bytes);
      agent.on_message({payload.data(), kept}, static_cast<std::uint32_t>(payload.size()));
    });
  }
  /// The connection breaks; the agent hears of it.
  void cut() {
    if (!online) return;
    drop_quietly();
    events.emplace_back([](AgentEvents& agent) { agent.on_broker_lost(); });
  }
  void drop_quietly() {
    online = false;
    under_way = 0;
    events.clear();
  }

  const BenchClock* clock = nullptr;
  bool reachable = true;
  bool cut_off = false;  ///< set by the device for firmware without network
  bool online = false;
  bool swallow_acknowledgements = false;
  int connects = 0;
  int subscribes = 0;
  int clean_disconnects = 0;
  int under_way = 0;
  int most_under_way = 0;
  std::string last_will;
  std::string id, token;   ///< of the last login
  bool refuses = false;    ///< CONNACK 5
  bool wrong_pin = false;  ///< its key is none of the pins
  std::optional<std::string> retained;
  std::vector<Sent> sent;
  std::deque<Event> events;
};

/// What is left to send of a response. Outside the server: a class that is not complete yet cannot
/// be in an optional.
struct BenchBody {
  std::vector<std::uint8_t> bytes;
  std::size_t at = 0;
  std::optional<std::uint32_t> break_at;
};

struct BenchOpening {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  BenchBody body;
  std::optional<FetchFailure> fails;
};

/// A file server with the manners of ours, and faults on request.
class BenchServer final : public Fetcher {
 public:
  struct File {
    std::vector<std::uint8_t> bytes;
    std::string etag = "\"v1\"";
  };
  struct Asked {
    std::string url;
    std::uint32_t offset = 0;
    std::string if_range;
    std::uint64_t at_ms = 0;
    bool without_pins = false;
    std::string post{};  ///< body of a POST
    std::string bearer{};
  };
  /// Answers a POST: status and body.
  using Posts = std::function<std::pair<int, std::string>(const std::string& url)>;

  void get(const Request& request) override;
  void cancel() override {
    body.reset();
    opening.reset();
  }
  /// One event of the transfer, if any is under way: the head, or a piece of the body.
  bool step(AgentEvents& agent);

  const BenchClock* clock = nullptr;
  std::map<std::string, File> files;
  std::vector<Asked> asked;
  std::uint64_t served = 0;  ///< body bytes handed out
  std::uint32_t piece = 1400;
  // Faults
  bool reachable = true;
  std::deque<std::pair<int, std::string>>
      answers;  ///< statuses (with Retry-After) given before anything else
  std::optional<std::uint32_t>
      break_after;  ///< body bytes of the next response, then the connection breaks
  bool break_always = false;
  bool ignore_range = false;
  bool wrong_content_range = false;
  bool no_length = false;
  bool stalls = false;  ///< the body never comes
  std::optional<std::uint32_t>
      silent_after;        ///< body bytes of each response, then nothing more and no end
  bool wrong_pin = false;  ///< its key is none of the pins: what does not prove itself fails
  std::set<std::string> unreachable_urls;
  Posts posts;  ///< none: 404

 private:
  std::optional<BenchOpening> opening;
  std::optional<BenchBody> body;
};

class BenchSystem final : public System {
 public:
  void restart() override { wanted = true; }
  bool wanted = false;
};

struct BenchOptions {
  std::string version = "1.3.0";
  bool development = true;
  std::string key_list{};  ///< provisioned; empty: none
  std::string server{};    ///< where tokens are asked for; empty: none are used
  Policy policy{};
};

/// A production device's: it holds this key list.
BenchOptions production(std::string key_list);

class BenchDevice {
 public:
  static constexpr std::uint32_t slot_bytes = 0x20000;
  static constexpr std::uint32_t slot_address[] = {0x10000, 0x30000};
  static constexpr std::uint32_t journal_address = 0x50000;
  static constexpr std::uint32_t keys_address = 0x58000;
  static constexpr const char* origin = "https://fw.example";

  explicit BenchDevice(const BenchOptions& options = {});

  /// Starts as after a reset of this kind: bootloader, then the agent of what it chose.
  void boot(ResetReason reason = ResetReason::power_on);
  /// The power goes and comes back: the broker publishes the will.
  void cut_power();
  /// Lets the device work for this long.
  void run_for(std::uint64_t ms);
  /// Until nothing happens any more for a while, at most an hour of its time.
  void settle() { run_for(120000); }
  bool run_until(const std::function<bool()>& condition, std::uint64_t ms = 3600000);

  /// Puts a file on the server and returns the notice for it.
  std::string publish(const std::string& version,
                      const std::vector<std::uint8_t>& image,
                      const std::string& extra_members = {});
  /// The same with a signed manifest, whose text is `manifest`; its URL ends in `release`.
  std::string publish_signed(const std::string& version,
                             const std::vector<std::uint8_t>& image,
                             const std::string& manifest,
                             const std::string& extra_members = {},
                             const std::string& release = ManifestWish{}.release);
  /// Puts a signed file, or anything else, on the server: `/keys.jws`.
  void put_file(const std::string& path, const std::string& text);
  static std::string notice(const std::string& version,
                            const std::string& url,
                            const std::string& digest,
                            const std::string& extra_members = {});
  static std::vector<std::uint8_t> image(const std::string& version,
                                         std::uint32_t payload = 60000) {
    return make_test_image(version, payload, static_cast<std::uint8_t>(version.back() + payload));
  }

  [[nodiscard]] std::vector<contract::HostStatus> statuses(const std::string& update = "") const;
  [[nodiscard]] std::vector<std::string> states(const std::string& update = "") const;
  [[nodiscard]] std::vector<contract::HostState> device_states() const;
  [[nodiscard]] contract::HostStatus last_status() const { return statuses().back(); }
  /// The newest status is a final one.
  [[nodiscard]] bool ended() const {
    return !statuses().empty() && contract::is_final(last_status().state);
  }
  [[nodiscard]] contract::HostState last_state() const { return device_states().back(); }
  [[nodiscard]] std::string running() const { return std::string{agent->running_version()}; }
  /// Whether slot `index` holds an image the bootloader would start.
  [[nodiscard]] bool slot_boots(std::uint32_t index);

  FakeFlash flash{0x60000};
  BenchClock clock;
  BenchRandom random;
  BenchBroker broker;
  BenchServer server;
  BenchApplication application;
  BenchSystem system;
  PsaVerifier verifier;
  Identity identity;
  Policy policy;
  std::string key_list;
  std::string token_server;
  std::unique_ptr<PsaDeviceKey> device_key;
  std::unique_ptr<Agent> agent;
  int boots = 0;
  bool bricked = false;
  std::set<std::string> crashes_on_boot;  ///< versions whose firmware panics before the agent runs
  std::set<std::string> unreachable_in_trial;  ///< versions that cannot reach the broker
  std::vector<std::string> booted;             ///< every version started

 private:
  std::optional<std::uint32_t> run_bootloader();
  std::string version_in(std::uint32_t slot);
  void tick();
};

}  // namespace otaria::device::testing
