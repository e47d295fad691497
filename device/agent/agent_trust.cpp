#include <algorithm>
#include <array>
#include <charconv>

#include "contract/trust/byte_source.hpp"
#include "contract/trust/judgement.hpp"
#include "contract/trust/manifest.hpp"
#include "contract/url.hpp"
#include "device/agent/agent.hpp"
#include "device/notice/manifest_gate.hpp"

/// Manifests and key lists: fetched into flash, judged there, put in force (reference trust,
/// sections 6 and 8).
namespace otaria::device {
namespace {

constexpr const contract::SignedKind& kind_of(bool manifest) {
  return manifest ? contract::manifest_kind : contract::key_list_kind;
}

/// `/keys.jws`, or `/keys/<serial>.jws`, of a server.
class KeyListUrl {
 public:
  KeyListUrl(std::string_view origin, std::uint32_t serial) {
    put(origin);
    put("/keys");
    if (serial != 0) {
      put("/");
      std::array<char, 10> digits{};
      const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), serial).ptr;
      put({digits.data(), static_cast<std::size_t>(end - digits.data())});
    }
    put(".jws");
  }
  [[nodiscard]] std::string_view view() const { return {text_.data(), size_}; }

 private:
  void put(std::string_view text) {
    for (const char c : text) {
      if (size_ < text_.size()) text_[size_++] = c;
    }
  }
  std::array<char, contract::max_url_bytes + 24> text_{};
  std::size_t size_ = 0;
};

/// A step in which an update waits for somebody else: for the broker, most of all, whose pin may no
/// longer fit. The list that heals it is fetched meanwhile.
constexpr bool is_wait(Step step) {
  return step == Step::delaying || step == Step::awaiting_notice || step == Step::awaiting_url ||
         step == Step::installed || step == Step::on_trial;
}

ManifestFacts facts_of(const contract::Manifest& manifest, std::uint32_t epoch) {
  ManifestFacts facts;
  facts.security_counter = manifest.security_counter;
  facts.issued = manifest.issued;
  facts.epoch = epoch;
  facts.size = manifest.size;
  for (std::size_t i = 0; i < facts.build.size(); ++i) {
    const char* digits = manifest.build.view().data() + 2 * i;
    facts.build[i] = static_cast<std::uint8_t>(contract::hex_value(digits[0]) << 4 |
                                               contract::hex_value(digits[1]));
  }
  return facts;
}

}  // namespace

// --- what an update must prove
// -----------------------------------------------------------------------------------

// A development device that holds a key list verifies what comes with a manifest; without a list it
// has nothing to verify by.
bool Agent::needs_manifest(const contract::Notice& notice) const {
  return !identity_.development || (keys_.has_keys() && !notice.manifest.empty());
}

bool Agent::is_proven() const {
  const Deployment& current = *ledger_.current();
  return current.manifest.has_value() || !needs_manifest(current.notice);
}

std::uint32_t Agent::time_floor() const {
  return std::max(ledger_.time_floor(), build_time_);
}

void Agent::begin_judgement() {
  keys_asked_ = false;
  backoff_.reset();
  progress_at_ms_ = now();
  fetch(File::manifest);
}

void Agent::run_judging() {
  if (file_ == File::manifest) {
    judge_manifest();
  } else {
    take_key_list();
  }
}

// Steps 4 to 8 of the judgement, on what lies in flash; the last act is the record that accepts it.
void Agent::judge_manifest() {
  contract::KeyRing* ring = keys_.ring();
  if (ring == nullptr) {
    finish_by_bytes({Fault::unknown_key});  // no list in force: nothing can be proven genuine
    return;
  }
  const bool stale = keys_.standing() == ListStanding::previous || keys_.expired(time_floor());
  if (stale && ask_for_keys(Step::judging)) return;
  AreaFile file = keys_.manifest_file();
  contract::PayloadPlace place;
  const contract::SignatureVerdict verdict =
      contract::judge_manifest_signatures(file, *ring, hasher_, ports_.verifier, place);
  if (!verdict.ok()) {
    if (verdict.fault == Fault::unknown_key && ask_for_keys(Step::judging)) return;
    finish_by_bytes(error_of(verdict));
    return;
  }
  if (!ok(keys_.note_verified())) return;
  contract::Base64UrlBytes payload{file, place.offset, place.characters};
  judge_content(payload);
}

void Agent::judge_content(contract::ByteSource& payload) {
  contract::Manifest manifest;
  const contract::ManifestReading reading = contract::read_manifest(payload, manifest);
  const contract::Notice& notice = ledger_.current()->notice;
  const ManifestSituation situation{.identity = identity_,
                                    .running_version = facts_.version.view(),
                                    .max_image = facts_.max_image,
                                    .keys_serial = keys_.serial(),
                                    .security_floor = ledger_.security_floor(),
                                    .time_floor = time_floor(),
                                    .failed_attempts = ledger_.failed_attempts(notice.digest),
                                    .failed_attempts_limit = policy_.failed_attempts_limit};
  const GateJudgement judged = device::judge_manifest(reading, manifest, notice, situation);
  if (judged.key_list_needed && ask_for_keys(Step::judging)) return;
  if (!judged.ok()) {
    finish_by_bytes(judged.error);
    return;
  }
  if (!ok(ledger_.accept_manifest(facts_of(manifest, ledger_.epoch())))) return;
  keys_.forget(Fetched::manifest);
  begin_accepted();
}

// --- fetching
// ----------------------------------------------------------------------------------------------------

bool Agent::is_fetching_file() const {
  return step_ == Step::fetching_manifest || step_ == Step::fetching_keys;
}

// No update in hand: the agent looks after its keys, and leaves off when a notice comes.
bool Agent::is_refreshing_keys() const {
  return !ledger_.current() && after_keys_ == Step::idle &&
         (step_ == Step::fetching_keys || step_ == Step::fetch_waiting || step_ == Step::judging);
}

void Agent::fetch(File file) {
  file_ = file;
  file_asked_ = file_answered_ = false;
  if (!keys_.begin(file == File::manifest ? Fetched::manifest : Fetched::key_list)) {
    file_unavailable({Fault::unknown_key});  // no partition: no key list either
    return;
  }
  enter(file == File::manifest ? Step::fetching_manifest : Step::fetching_keys);
}

// Room first, a sector per pass; the server is asked when a piece may come at any time.
std::uint32_t Agent::run_fetching() {
  if (file_asked_) return run_transfer();
  const auto prepared = keys_.prepare();
  if (!prepared) {
    file_unavailable(prepared.error());
  } else if (prepared.value()) {
    ask_for_file();
  }
  return 0;
}

void Agent::ask_for_file() {
  take_fetcher();
  head_.clear();
  if (!has_left_its_wait()) last_status_ = 0;
  file_asked_ = true;
  window_started_ms_ = now();
  window_bytes_ = 0;
  if (file_ == File::manifest) {
    ports_.fetcher.get({.url = ledger_.current()->notice.manifest.view()});
    return;
  }
  const KeyListUrl url{keys_origin_.view(), file_ == File::next_keys ? keys_.serial() + 1 : 0};
  ports_.fetcher.get({.url = url.view(), .without_pins = true});
}

void Agent::on_file_head(std::uint32_t status) {
  if (!has_left_its_wait()) last_status_ = status;  // else it is why the download waits
  const std::uint32_t limit = kind_of(file_ == File::manifest).file_bytes;
  const ResponseJudgement judgement = judge_file_response(status, head_, limit);
  if (judgement.verdict == ResponseVerdict::body) {
    file_answered_ = true;
    file_bytes_ = judgement.total;
    return;
  }
  cancel_fetch();
  if (judgement.verdict == ResponseVerdict::retry) {
    retry_file(judgement.retry_after_s);
  } else if (judgement.wrong_size && judgement.total != 0) {
    file_unavailable(too_long());
  } else {
    file_unavailable(judgement.error);
  }
}

void Agent::on_file_body(std::span<const std::uint8_t> bytes) {
  if (!file_answered_) return;
  window_bytes_ += static_cast<std::uint32_t>(bytes.size());
  if (const auto done = keys_.append(bytes); !done) {
    cancel_fetch();
    file_unavailable(done.error().fault == Fault::too_large ? too_long() : done.error());
  }
}

void Agent::on_file_end() {
  const auto length = keys_.finish();
  if (!length) {
    file_unavailable(length.error());
  } else if (!file_answered_ || (file_bytes_ != 0 && length.value() != file_bytes_)) {
    retry_file();  // a body that ended as framed and yet too early
  } else {
    enter(Step::judging);
  }
}

// A file beyond its limit is no signed file: step 4 has one code for all that.
Error Agent::too_long() const {
  if (file_ != File::manifest) return {Fault::too_large};
  contract::SignatureVerdict verdict;
  verdict.fault = Fault::bad_signature;
  verdict.defect = contract::SignedDefect::too_long;
  return error_of(verdict);
}

void Agent::retry_file(std::optional<std::uint32_t> retry_after_s) {
  if (has_left_its_wait()) {
    file_unavailable({Fault::download_failed, last_status_});  // its reason will come again
    return;
  }
  const auto wait_ms = wait_before_retry(retry_after_s);
  if (!wait_ms) {
    file_unavailable({Fault::download_failed, last_status_});
    return;
  }
  keys_.abandon();
  enter(Step::fetch_waiting);
  resume_at_ms_ = now() + *wait_ms;
}

// Without its manifest an update ends; without a key list what is in force goes on to judge.
void Agent::file_unavailable(Error error) {
  keys_.abandon();
  if (file_ == File::manifest) {
    finish_by_bytes(error);
  } else {
    go_on_after_keys();
  }
}

// --- key lists
// ---------------------------------------------------------------------------------------------------

void Agent::on_keys_mentioned(std::uint32_t serial, std::string_view url) {
  if (serial > keys_.serial()) {
    want_keys(url, now());
  } else if (keys_.expired(time_floor())) {
    want_keys_at_times(url);
  }
}

void Agent::on_pin_failed(std::string_view url) {
  want_keys_at_times(url.empty() ? key_server() : url);
}

// A list in force that has certainly expired goes on to judge; a newer one is asked for at every
// contact (reference trust, section 9).
void Agent::renew_expired_keys() {
  const bool expired = keys_.expired(time_floor());
  if (expired != facts_.keys_expired) learn_keys();
  if (expired) want_keys_at_times(key_server());
}

// Who has key lists, as far as this device knows; empty: it knows nobody.
std::string_view Agent::key_server() const {
  if (!tokens_.server().empty()) return tokens_.server();
  const auto& current = ledger_.current();
  if (current && !current->notice.manifest.empty())
    return contract::origin_of(current->notice.manifest.view());
  return keys_origin_.view();
}

void Agent::want_keys(std::string_view url, std::uint64_t earliest_ms) {
  if (!keys_.has_keys() || !contract::is_url(url)) return;
  if (is_refreshing_keys() || step_ == Step::fetching_keys) return;
  const std::string_view origin = contract::origin_of(url);
  if (origin != keys_origin_.view() && !keys_origin_.assign(origin)) return;
  keys_wanted_from_ms_ = keys_wanted_ ? std::min(keys_wanted_from_ms_, earliest_ms) : earliest_ms;
  keys_wanted_ = true;
}

// For reasons that come again with each attempt to connect.
void Agent::want_keys_at_times(std::string_view url) {
  want_keys(url, std::max(keys_paused_until_ms_, now()));
}

bool Agent::may_fetch_wanted_keys() const {
  return step_ == Step::idle || is_wait(step_);
}

// In how many milliseconds the list that is wanted is fetched; 0: it is being fetched.
std::uint32_t Agent::fetch_wanted_keys() {
  if (!keys_wanted_ || !may_fetch_wanted_keys()) return long_ms;
  if (now() < keys_wanted_from_ms_) return until(keys_wanted_from_ms_);
  keys_wanted_ = false;
  keys_asked_ = false;
  keys_paused_until_ms_ = now() + policy_.keys_pause_ms;
  wait_entered_ms_ = step_entered_ms_;
  wait_connected_ms_ = connected_ms_;
  begin_fetching_keys(step_);
  return 0;
}

bool Agent::has_left_its_wait() const {
  return file_ != File::manifest && is_wait(after_keys_);
}

// Its time runs from when it was entered first. A notice that came meanwhile is sent again.
void Agent::resume_wait() {
  enter(after_keys_);
  step_entered_ms_ = wait_entered_ms_;
  connected_ms_ = wait_connected_ms_;
  parked_ = true;
  take_parked_notice();
}

// Once per judgement and per download. False: it was done, or nothing could be accepted.
bool Agent::ask_for_keys(Step afterwards) {
  if (keys_asked_ || !keys_.has_keys()) return false;
  const contract::Notice& notice = ledger_.current()->notice;
  keys_origin_.assign(
      contract::origin_of(notice.manifest.empty() ? notice.url.view() : notice.manifest.view()));
  begin_fetching_keys(afterwards);
  return true;
}

void Agent::begin_fetching_keys(Step afterwards) {
  keys_asked_ = true;
  keys_wanted_ = false;
  after_keys_ = afterwards;
  newest_serial_ = 0;
  backoff_.reset();
  progress_at_ms_ = now();
  fetch(File::newest_keys);
}

void Agent::take_key_list() {
  const auto judged = keys_.accept(time_floor());
  if (!judged) {
    ok(judged.error());
    return;
  }
  const contract::KeyListVerdict& verdict = judged.value();
  if (verdict.ok()) {
    learn_keys();
    if (!link_open_) reconnect_at_ms_ = now();  // with the pins of this list
  }
  if (verdict.refusal == contract::KeyListRefusal::old_threshold && file_ == File::newest_keys) {
    newest_serial_ =
        verdict.head.serial;  // too far ahead of our roots: the lists between lead there
  }
  const bool on_the_way = verdict.ok() || file_ == File::newest_keys;
  if (on_the_way && keys_.serial() < newest_serial_ &&
      lists_between_ < KeyStore::max_lists_between) {
    ++lists_between_;
    fetch(File::next_keys);
    return;
  }
  go_on_after_keys();
}

void Agent::go_on_after_keys() {
  switch (after_keys_) {
    case Step::judging:
      file_ = File::manifest;  // still staged: never fetched twice
      enter(Step::judging);
      return;
    case Step::fetching_manifest:
      fetch(File::manifest);
      return;
    case Step::requesting:
      request();
      return;
    default:
      if (is_wait(after_keys_)) return resume_wait();
      enter(Step::idle);
      take_parked_notice();
      return;
  }
}

// --- what is shown
// -----------------------------------------------------------------------------------------------

void Agent::learn_keys() {
  facts_.keys = keys_.serial();
  facts_.keys_expired = keys_.expired(time_floor());
  learn_counters();
}

void Agent::watch_clock() {
  const auto unix_s = ports_.clock.unix_s();
  const bool suspect = unix_s && *unix_s < time_floor();
  if (suspect == facts_.clock_suspect) return;
  facts_.clock_suspect = suspect;
  reporter_.state_changed();
}

void Agent::learn_counters() {
  facts_.security_counter = ledger_.security_floor();
  const SlotContent& other = ledger_.slot(passive());
  facts_.fallback_below_floor = other.known && other.security_counter < facts_.security_counter;
  reporter_.state_changed();
}

}  // namespace otaria::device
