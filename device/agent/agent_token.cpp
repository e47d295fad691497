#include <algorithm>

#include "contract/slice.hpp"
#include "contract/url.hpp"
#include "device/agent/agent.hpp"

/// The token for the broker: one fetcher serves downloads and tokens, and downloads come first.
namespace otaria::device {
namespace {

constexpr std::uint32_t fetcher_glance_ms = 1000;

/// `fw.example` of `https://fw.example:8443`.
std::string_view host_of(std::string_view origin) {
  const std::size_t authority = origin.find("//");
  if (authority == std::string_view::npos) return {};
  const std::string_view host = contract::slice(origin, authority + 2);
  if (host.starts_with('[')) return contract::slice(host, 1, host.find(']') - 1);
  return contract::slice(host, 0, host.find(':'));
}

/// Whether a list has a pin for the host.
class PinSeeker final : public contract::KeyListVisitor {
 public:
  explicit PinSeeker(std::string_view host) : host_{host} {}
  void on_pin(std::string_view host, const contract::Digest& pin) override {
    (void)pin;
    if (host == host_) found_ = true;
  }
  [[nodiscard]] bool found() const { return found_; }

 private:
  std::string_view host_;
  bool found_ = false;
};

}  // namespace

bool Agent::fetcher_is_busy() const {
  return step_ == Step::requesting || step_ == Step::streaming ||
         (is_fetching_file() && file_asked_);
}

void Agent::take_fetcher() {
  if (!tokens_.owns_request()) return;
  ports_.fetcher.cancel();
  tokens_.interrupted();
}

// A request of the token client is not the download's to cancel.
void Agent::cancel_fetch() {
  if (!tokens_.owns_request()) ports_.fetcher.cancel();
}

std::uint32_t Agent::run_tokens() {
  if (!tokens_.is_used()) return long_ms;
  if (tokens_.is_stalled()) {
    ports_.fetcher.cancel();
    tokens_.on_failed();
  }
  if (const auto grant = tokens_.take_grant()) learn_grant(*grant);
  rejoin_when_quiet();
  if (step_ == Step::halted || tokens_.owns_request()) return fetcher_glance_ms;
  if (const std::uint32_t wait_ms = tokens_.wait_ms(); wait_ms > 0) return wait_ms;
  if (fetcher_is_busy()) return fetcher_glance_ms;
  tokens_.begin();
  return fetcher_glance_ms;
}

void Agent::learn_grant(const TokenGrant& grant) {
  // The server may have found our id taken by another device. It is in flash before it is used.
  DeviceId id;
  id.assign(grant.id.view());
  if (!id.empty() && id != identity_.id && !ok(ledger_.assign_id(id))) return;
  renewed_ = link_open_;
  if (!ok(ledger_.raise_seq(std::min(grant.seq, Ledger::largest_known_seq)))) return;
  on_keys_mentioned(grant.keys, tokens_.server());
  // Only a server whose key the roots have pinned may say how late it is (reference trust,
  // section 9).
  contract::KeyRing* ring = keys_.ring();
  if (ring == nullptr || !tokens_.server().starts_with("https:")) return;
  PinSeeker pins{host_of(tokens_.server())};
  if (ring->walk(pins) != contract::Defect::none || !pins.found()) return;
  if (ok(ledger_.note_time(grant.time))) renew_expired_keys();
}

// Not within a connection: its topics, and its will, have the id that it began with.
void Agent::adopt_assigned_id() {
  if (!ledger_.assigned_id().empty()) identity_.id = ledger_.assigned_id();
}

// An image of the server that gave us the token may need it (`downloads.access = token`); nobody
// else is shown it.
std::string_view Agent::token_for(std::string_view url) const {
  const bool ours = tokens_.is_used() && contract::origin_of(url) == tokens_.server();
  return ours ? tokens_.token() : std::string_view{};
}

// MQTT 3.1.1 takes a token at CONNECT only. Before the old one ends the device leaves and comes
// back, between two messages and not while it waits for the restart.
void Agent::rejoin_when_quiet() {
  if (!renewed_ || !reporter_.connected() || !reporter_.idle() || reporter_.rejoining()) return;
  if (step_ == Step::rebooting || step_ == Step::going_back || step_ == Step::halted) return;
  renewed_ = false;
  reporter_.rejoin();
}

}  // namespace otaria::device
