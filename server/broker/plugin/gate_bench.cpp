#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "contract/token/testing/minting.hpp"
#include "server/broker/plugin/gate.hpp"

// What a CONNECT, a SIGHUP and a message cost the broker's one thread.
namespace {

using namespace otaria;
using broker_plugin::Access;
using broker_plugin::Gate;

constexpr std::int64_t now_s = 1790000100;
constexpr std::string_view mac = "a4cf12e0a1b2";

struct Fleet {
  explicit Fleet(std::size_t devices) {
    std::string name = (std::filesystem::temp_directory_path() / "otaria-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error{"no temporary directory"};
    directory = name;
    auto key = crypto::PrivateKey::generate(contract::Algorithm::es256);
    std::ofstream{directory / "jwks.json"} << token::testing::jwks(key.public_key());
    for (std::size_t i = 0; i < devices; ++i) {
      token::testing::Minted minted;
      ids.push_back("sensor_" + std::to_string(i));
      minted.client_id = token::testing::in_quotes(ids.back());
      minted.acl = R"({"sub":[")" + ids.back() + R"(/firmware/update"],"pub":[")" + ids.back() +
                   R"(/ota/status",")" + ids.back() + R"(/ota/state",")" + ids.back() +
                   R"(/telemetry"]})";
      tokens.push_back(minted.signed_by(key));
    }
  }
  ~Fleet() {
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
  }
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  [[nodiscard]] Gate gate() const {
    Gate made{{"otaria", "otaria", directory / "jwks.json", {}}, [](auto, const auto&) {}};
    if (!made.start(now_s)) throw std::runtime_error{"no keys"};
    return made;
  }
  bool connect(Gate& gate, std::size_t i) const {
    return gate.authenticate(this, ids[i], mac, tokens[i], now_s);
  }

  std::filesystem::path directory;
  std::vector<std::string> ids;
  std::vector<std::string> tokens;
};

void first_connect(benchmark::State& state) {
  const Fleet fleet{512};
  Gate gate = fleet.gate();
  std::size_t next = 0;
  for ([[maybe_unused]] auto _ : state) {
    if (next == fleet.ids.size()) {
      state.PauseTiming();
      gate = fleet.gate();
      next = 0;
      state.ResumeTiming();
    }
    if (!fleet.connect(gate, next++)) state.SkipWithError("refused");
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(first_connect)->Unit(benchmark::kMicrosecond);

void sighup_with_clients(benchmark::State& state) {
  const Fleet fleet{static_cast<std::size_t>(state.range(0))};
  Gate gate = fleet.gate();
  for (std::size_t i = 0; i < fleet.ids.size(); ++i) fleet.connect(gate, i);
  for ([[maybe_unused]] auto _ : state) {
    for (std::size_t i = 0; i < fleet.ids.size(); ++i) {
      if (!fleet.connect(gate, i)) state.SkipWithError("refused");
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(sighup_with_clients)->Arg(1000)->Arg(10000)->Unit(benchmark::kMillisecond);

void publication(benchmark::State& state) {
  const Fleet fleet{1000};
  Gate gate = fleet.gate();
  std::vector<std::string> topics;
  for (std::size_t i = 0; i < fleet.ids.size(); ++i) {
    fleet.connect(gate, i);
    topics.push_back(fleet.ids[i] + "/telemetry");
  }
  std::size_t next = 0;
  for ([[maybe_unused]] auto _ : state) {
    const bool permitted = gate.authorize(Access::write, fleet.ids[next], mac, topics[next], now_s);
    if (!permitted) state.SkipWithError("denied");
    next = (next + 1) % fleet.ids.size();
  }
}
BENCHMARK(publication)->Unit(benchmark::kNanosecond);

}  // namespace

BENCHMARK_MAIN();
