#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "device/agent/agent.hpp"
#include "device/agent/testing/allocation_trap.hpp"
#include "device/agent/testing/bench_device.hpp"
#include "device/bootloader/selection.hpp"

/// A whole update with the trap armed in every call of the agent. The fakes here take no heap
/// either: they are called by the agent, within the armed time.
namespace otaria::device::testing {
namespace {

using ::testing::ElementsAre;

// Written to where the compiler cannot see it, or it would drop the allocation it is told to make.
void* volatile kept = nullptr;

TEST(AllocationTrap, SpringsAtEveryWayToTheHeap) {
  const std::uint64_t before = AllocationTrap::sprung();
  trapped([] {
    kept = std::malloc(10);
    std::free(kept);
    kept = std::calloc(2, 10);
    kept = std::realloc(kept, 4000);
    std::free(kept);
    kept = std::aligned_alloc(64, 64);
    std::free(kept);
    void* aligned = nullptr;
    if (posix_memalign(&aligned, 64, 64) == 0) std::free(aligned);
    kept = new int{7};
    delete static_cast<int*>(kept);
    kept = ::operator new (64, std::align_val_t{64});
    ::operator delete (kept, std::align_val_t{64});
    const std::vector<int> numbers(100);
    const std::string text(100, 'x');
    kept = const_cast<int*>(numbers.data() + text.size() / 100);
  });
  EXPECT_EQ(AllocationTrap::sprung() - before, 9U);
}

TEST(AllocationTrap, IsDeafWhileItIsNotArmed) {
  const std::uint64_t before = AllocationTrap::sprung();
  kept = std::malloc(10);
  std::free(kept);
  EXPECT_EQ(AllocationTrap::sprung(), before);
}

class StaticFlash final : public Flash {
 public:
  static constexpr std::uint32_t bytes = 0x60000;

  Status read(std::uint32_t address, std::span<std::uint8_t> into) override {
    if (address > bytes || into.size() > bytes - address) return flash_failed(-1, address);
    std::copy_n(cells.begin() + address, into.size(), into.begin());
    return {};
  }
  Status write(std::uint32_t address, std::span<const std::uint8_t> from) override {
    if (address > bytes || from.size() > bytes - address) return flash_failed(-1, address);
    for (std::size_t i = 0; i < from.size(); ++i) {
      std::uint8_t& cell = cells[address + i];
      cell = static_cast<std::uint8_t>(cell & from[i]);
    }
    return {};
  }
  Status erase_sector(std::uint32_t address) override {
    if (address % sector_bytes != 0 || address >= bytes) return flash_failed(-1, address);
    std::fill_n(cells.begin() + address, sector_bytes, std::uint8_t{0xFF});
    return {};
  }
  [[nodiscard]] std::uint32_t size() const override { return bytes; }

  std::array<std::uint8_t, bytes> cells{};
};

class StaticClock final : public Clock {
 public:
  [[nodiscard]] std::uint64_t monotonic_ms() const override { return ms; }
  [[nodiscard]] std::optional<std::uint32_t> unix_s() const override { return 1790000000; }
  std::uint64_t ms = 0;
};

/// What was published is kept as the list of its `state` members.
class StaticBroker final : public BrokerLink {
 public:
  void connect(const Login&, std::string_view) override { connecting = true; }
  void subscribe_to_notices() override { notice_due = true; }
  void publish(Topic topic, std::string_view payload) override {
    acknowledgement_due = true;
    constexpr std::string_view key = "\"state\":\"";
    const std::size_t at = payload.find(key);
    if (topic != Topic::status || at == std::string_view::npos) return;
    const std::string_view rest{payload.data() + at + key.size(), payload.size() - at - key.size()};
    const std::string_view word{rest.data(), rest.find('"')};
    if (count > 0 && states[count - 1] == word) return;
    if (count < states.size()) states[count++].assign(word);
  }
  void disconnect() override { online = false; }

  bool connecting = false;
  bool online = false;
  bool notice_due = false;
  bool acknowledgement_due = false;
  std::array<contract::Text<16>, 40> states{};
  std::size_t count = 0;
};

class StaticFetcher final : public Fetcher {
 public:
  void get(const Request& request) override {
    head_due = true;
    wants_manifest = request.url.ends_with(".jws");
    from = at = request.offset;
    resumed = resumed || (request.offset > 0 && !request.if_range.empty());
  }
  void cancel() override { head_due = body_due = false; }
  bool head_due = false;
  bool body_due = false;
  bool resumed = false;
  bool wants_manifest = false;
  std::uint32_t from = 0;
  std::uint32_t at = 0;
};

class StaticSystem final : public System {
 public:
  void restart() override { wanted = true; }
  bool wanted = false;
};

/// The crypto port: what the library behind it takes is its own affair (psa_primitives_test.cpp),
/// what comes before and after is not.
class ForgivenVerifier final : public contract::SignatureVerifier {
 public:
  [[nodiscard]] bool supports(contract::Algorithm algorithm) const override {
    return verifier_.supports(algorithm);
  }
  bool verify(contract::Algorithm algorithm,
              std::span<const std::uint8_t> public_key,
              const contract::Digest& digest,
              std::span<const std::uint8_t> signature) override {
    ++calls;
    AllocationTrap::disarm();
    const bool right = verifier_.verify(algorithm, public_key, digest, signature);
    AllocationTrap::arm();
    return right;
  }
  int calls = 0;

 private:
  PsaVerifier verifier_;
};

/// The device: everything it works with lies in static memory, the agent too.
class QuietDevice {
 public:
  /// Takes over the flash of a provisioned device that runs 1.3.0, and what is offered to it.
  explicit QuietDevice(bool signs = false) {
    image = BenchDevice::image("1.4.0", 100000);
    const std::string members = R"("update":"u1","size":)" + std::to_string(image.size());
    length = std::to_string(image.size());
    if (!signs) {
      BenchDevice bench;
      notice = bench.publish("1.4.0", image, members);
      take_over(bench);
      return;
    }
    SigningDesk desk;
    BenchDevice bench{production(desk.key_list({}))};
    const std::string text = desk.manifest({.security_counter = 4}, image);
    manifest.assign(text.begin(), text.end());
    notice = bench.publish_signed("1.4.0", image, text, members);
    take_over(bench);
  }

  void boot() {
    system.wanted = false;
    broker.online = broker.connecting = broker.acknowledgement_due = false;
    fetcher.cancel();
    const auto records = read_boot_records(flash, 0xE000);
    ASSERT_TRUE(records);
    BootSetup setup;
    setup.records = records.value();
    const BootDecision decision = choose_boot(setup, [](int) { return true; });
    for (const BootRecordWrite& write : decision.writes())
      ASSERT_TRUE(write_boot_record(flash, 0xE000, write));
    const BootInfo info{static_cast<std::uint32_t>(decision.index), ResetReason::software};
    trapped([&] {
      agent.emplace(Ports{flash, clock, random, broker, fetcher, system, application, verifier},
                    identity);
      started = static_cast<bool>(agent->start(info));
    });
    ASSERT_TRUE(started);
  }

  /// Until the agent has nothing to do, or `limit` events; a restart it asks for is carried out.
  void run(int limit = 100000) {
    int quiet = 0;
    for (int i = 0; i < limit && quiet < 50; ++i) {
      if (system.wanted) boot();
      const bool happened = trapped([this] { return deliver_event(); });
      const std::uint32_t wants = trapped([this] { return agent->run(); });
      if (!happened) clock.ms += std::clamp<std::uint32_t>(wants, 1, 1000);
      quiet = happened || wants == 0 || system.wanted ? 0 : quiet + 1;
    }
  }

  StaticFlash flash;
  StaticClock clock;
  BenchRandom random;
  StaticBroker broker;
  StaticFetcher fetcher;
  StaticSystem system;
  BenchApplication application;
  ForgivenVerifier verifier;
  Identity identity;
  std::optional<Agent> agent;
  std::vector<std::uint8_t> image;
  std::vector<std::uint8_t> manifest;
  std::string notice;
  std::string length;
  std::optional<std::uint32_t> break_at;

 private:
  void take_over(BenchDevice& bench) {
    std::ranges::copy(bench.flash.cells(), flash.cells.begin());
    identity = bench.identity;
  }

  bool deliver_event() {
    if (broker.connecting) {
      broker.connecting = false;
      broker.online = true;
      agent->on_broker_connected();
    } else if (broker.acknowledgement_due) {
      broker.acknowledgement_due = false;
      agent->on_published();
    } else if (broker.notice_due && broker.online) {
      broker.notice_due = false;
      agent->on_message(notice, static_cast<std::uint32_t>(notice.size()));
    } else if (fetcher.head_due) {
      deliver_head();
    } else if (fetcher.body_due) {
      deliver_body();
    } else {
      return false;
    }
    return true;
  }

  void deliver_head() {
    fetcher.head_due = false;
    fetcher.body_due = true;
    agent->on_http_header("ETag", "\"v1\"");
    if (fetcher.wants_manifest) {
      agent->on_http_head(200);  // without a length: chunked
      return;
    }
    if (fetcher.from == 0) {
      agent->on_http_header("Content-Length", length);
      agent->on_http_head(200);
      return;
    }
    std::array<char, 80> range{};
    const int bytes = std::snprintf(range.data(),
                                    range.size(),
                                    "bytes %u-%zu/%zu",
                                    fetcher.from,
                                    image.size() - 1,
                                    image.size());
    agent->on_http_header("Content-Range", {range.data(), static_cast<std::size_t>(bytes)});
    agent->on_http_head(206);
  }

  void deliver_body() {
    const std::span<const std::uint8_t> file = fetcher.wants_manifest ? manifest : image;
    const std::size_t end = std::min<std::size_t>(fetcher.at + 1400U, file.size());
    const std::span<const std::uint8_t> piece = file.subspan(fetcher.at, end - fetcher.at);
    fetcher.at = static_cast<std::uint32_t>(end);
    agent->on_http_body(piece);
    if (!fetcher.body_due) return;
    if (break_at && end > *break_at) {
      break_at.reset();
      fetcher.body_due = false;
      agent->on_http_failed(FetchFailure::broken);
    } else if (end == file.size()) {
      fetcher.body_due = false;
      agent->on_http_end();
    }
  }

  bool started = false;
};

std::vector<std::string> states_of(const StaticBroker& broker) {
  std::vector<std::string> states;
  for (std::size_t i = 0; i < broker.count; ++i) states.emplace_back(broker.states[i].view());
  return states;
}

// 1.3.0 to 1.4.0: judged, downloaded with a broken connection and a reset on the way, verified,
// installed, restarted, tried, confirmed, reported.
TEST(AgentHeap, AWholeUpdateAllocatesNothing) {
  const std::uint64_t before = AllocationTrap::sprung();
  const auto device = std::make_unique<QuietDevice>();
  device->boot();
  EXPECT_EQ(device->agent->running_version(), "1.3.0");
  device->break_at = 30000;
  device->run(70);  // into the middle of the download, past the break
  ASSERT_EQ(device->agent->step(), Step::streaming);
  ASSERT_GT(device->agent->ledger().current()->prefix, 0U);
  device->boot();
  device->run();
  EXPECT_EQ(device->agent->running_version(), "1.4.0");
  EXPECT_TRUE(device->agent->facts().confirmed);
  EXPECT_TRUE(device->fetcher.resumed);
  EXPECT_THAT(states_of(device->broker),
              ElementsAre("received",
                          "downloading",
                          "waiting",
                          "downloading",
                          "verifying",
                          "installed",
                          "rebooting",
                          "trial",
                          "succeeded"));
  EXPECT_EQ(AllocationTrap::sprung() - before, 0U);
}

TEST(AgentHeap, AWholeSignedUpdateAllocatesNothingOutsideTheCryptoPort) {
  const std::uint64_t before = AllocationTrap::sprung();
  const auto device = std::make_unique<QuietDevice>(true);
  device->boot();
  device->run();
  EXPECT_EQ(device->agent->running_version(), "1.4.0");
  EXPECT_TRUE(device->agent->facts().confirmed);
  EXPECT_EQ(device->agent->facts().security_counter, 4U);
  EXPECT_EQ(device->verifier.calls, 1);
  EXPECT_EQ(AllocationTrap::sprung() - before, 0U);
}

TEST(AgentHeap, ARefusalAndAnUnreadableNoticeAllocateNothing) {
  const std::uint64_t before = AllocationTrap::sprung();
  const auto device = std::make_unique<QuietDevice>();
  for (const char* notice :
       {R"({"version":"1.2.0","url":"http://x/y","signature":"00","update":"u2"})",
        "{",
        "[[[[[[[[[",
        R"({"version":7,"update":"u3","url":"http://x/y"})"}) {
    device->notice = notice;
    device->boot();
    device->run(500);
  }
  EXPECT_THAT(states_of(device->broker),
              ElementsAre("received",
                          "refused",
                          "received",
                          "refused",
                          "received",
                          "refused",
                          "received",
                          "refused"));
  EXPECT_EQ(AllocationTrap::sprung() - before, 0U);
}

TEST(AgentHeap, HashingAllocatesNothing) {
  const std::vector<std::uint8_t> bytes(100000, 0x42);
  ASSERT_TRUE(init_crypto());
  const std::uint64_t before = AllocationTrap::sprung();
  trapped([&bytes] {
    Sha256 hash;
    hash.update(bytes);
    (void)hash.peek();
    hash.update(bytes);
    (void)hash.finish();
    (void)sha256_of(bytes);
  });
  EXPECT_EQ(AllocationTrap::sprung() - before, 0U);
}

}  // namespace
}  // namespace otaria::device::testing
