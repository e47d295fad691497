// libFuzzer: a server's answers to a device that asks for its token, one after the other. The
// device asks again and again within its limits, and takes nothing that could not be a token.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "contract/fuzz/claim.hpp"
#include "contract/openssl/crypto.hpp"
#include "device/identity/token_client.hpp"

using namespace otaria::device;
using otaria::contract::claim;

namespace {

struct SteppedClock final : Clock {
  [[nodiscard]] std::uint64_t monotonic_ms() const override { return now; }
  [[nodiscard]] std::optional<std::uint32_t> unix_s() const override { return std::nullopt; }
  std::uint64_t now = 5000;
};

struct Counted final : Random {
  std::uint32_t next() override { return ++value; }
  std::uint32_t value = 0;
};

/// A signature that nobody checks: the server here takes anything.
struct AnyKey final : DeviceKey {
  bool public_key(std::span<std::uint8_t, public_bytes> into) override {
    std::ranges::fill(into, std::uint8_t{1});
    return true;
  }
  bool sign(const otaria::contract::Digest&,
            std::span<std::uint8_t, signature_bytes> into) override {
    std::ranges::fill(into, std::uint8_t{2});
    return true;
  }
};

struct CheckedFetcher final : Fetcher {
  void get(const Request& request) override {
    ++requests;
    claim(request.url.starts_with("https://ota.example/api/v1/device/"));
    claim(request.body.size() <= TokenClient::work_bytes);
  }
  void cancel() override {}
  std::uint32_t requests = 0;
};

constexpr std::size_t most_answers = 16;

/// One answer: its first byte is the status, the rest header lines, an empty line, the body.
void answer(TokenClient& client, std::string_view text) {
  constexpr std::uint32_t known[] = {200, 201, 401, 403, 409, 429, 500};
  const auto first = static_cast<std::uint8_t>(text.front());
  text.remove_prefix(1);
  std::size_t head = text.find("\n\n");
  std::string_view lines = head == std::string_view::npos ? "" : text.substr(0, head);
  if (head != std::string_view::npos) text.remove_prefix(head + 2);
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    const std::string_view name = line.substr(0, line.find(':'));
    client.on_header(name, line.substr(std::min(line.size(), name.size() + 1)));
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
  }
  client.on_head(known[first % std::size(known)]);
  const std::span body{reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
  const std::size_t half = body.size() / 2;
  client.on_body(body.first(half));
  client.on_body(body.subspan(half));
  if (first >= 0xF0) return client.on_failed();
  client.on_end();
}

void check(TokenClient& client, const SteppedClock& clock) {
  claim(!client.owns_request());
  claim(client.wait_ms() <= 3'600'000);
  claim(client.token().size() <= max_token_bytes);
  const bool is_plain = std::ranges::all_of(
      client.token(), [](char c) { return c > ' ' && c < 0x7F && c != '"' && c != '\\'; });
  claim(is_plain);
  if (const auto grant = client.take_grant()) {
    claim(!client.token().empty() && clock.now > 0);
    claim(grant->id.empty() || otaria::contract::is_device_id(grant->id.view()));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text{reinterpret_cast<const char*>(data), size};
  AnyKey key;
  const TokenAccess access{.key = &key, .server = "https://ota.example", .claim = "once"};
  Identity identity;
  identity.id.assign("sensor_A1B2");
  identity.mac.assign("a4cf12e0a1b2");
  TokenSettings settings;
  settings.access = &access;
  settings.identity = &identity;
  SteppedClock clock;
  Counted random;
  CheckedFetcher fetcher;
  std::array<char, TokenClient::work_bytes> work{};
  otaria::crypto::Sha256Hasher hasher;
  TokenClient client{settings, fetcher, hasher, clock, random, work};
  for (std::size_t answers = 0; !text.empty() && answers < most_answers; ++answers) {
    const std::string_view piece = text.substr(0, text.find('\x1E'));
    text.remove_prefix(std::min(text.size(), piece.size() + 1));
    if (piece.empty()) continue;
    clock.now += client.wait_ms();
    client.begin();
    claim(client.owns_request() && fetcher.requests > 0);
    answer(client, piece);
    check(client, clock);
  }
  return 0;
}
