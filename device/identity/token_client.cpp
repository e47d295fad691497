#include "device/identity/token_client.hpp"

#include <algorithm>

#include "contract/device/json_writer.hpp"
#include "contract/trust/base64url.hpp"
#include "contract/trust/signed_file.hpp"
#include "device/identity/proof.hpp"

namespace otaria::device {
namespace {

constexpr std::string_view grant_prefix =
    "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
constexpr std::uint32_t second_ms = 1000;

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(
      a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

// Plain seconds; a date is not read by a device that may not know the time.
std::uint32_t seconds_of(std::string_view text) {
  std::uint32_t seconds = 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || seconds > 100'000) return 0;
    seconds = seconds * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return seconds;
}

// What counts of each answer, and in which place.
struct Place {
  enum : std::size_t { token, id, expires_in, time, keys, seq };
};
constexpr std::array nonce_members{AnswerMember{"nonce"}};
constexpr std::array token_members{AnswerMember{"token"},
                                   AnswerMember{"id"},
                                   AnswerMember{"expires_in", false},
                                   AnswerMember{"time", false},
                                   AnswerMember{"keys", false},
                                   AnswerMember{"seq", false}};

/// `sensor_` and the last four digits of the MAC in upper case (contract, 3.1): one of 65,536, and
/// so perhaps another device's too.
bool is_default_id(std::string_view id, std::string_view mac) {
  constexpr std::string_view prefix = "sensor_";
  constexpr std::size_t digits = 4;
  if (id.size() != prefix.size() + digits || !id.starts_with(prefix) || mac.size() < digits)
    return false;
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; };
  return std::equal(id.begin() + prefix.size(), id.end(), mac.end() - digits, [&](char a, char b) {
    return a == upper(b);
  });
}

}  // namespace

std::uint32_t TokenClient::wait_ms() const {
  const std::uint64_t now = clock_.monotonic_ms();
  if (ask_at_ms_ <= now) return 0;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(ask_at_ms_ - now, 3'600'000));
}

std::string_view TokenClient::token() const {
  return clock_.monotonic_ms() < valid_until_ms_ ? token_.view() : std::string_view{};
}

std::optional<TokenGrant> TokenClient::take_grant() {
  if (!granted_) return std::nullopt;
  granted_ = false;
  return grant_;
}

void TokenClient::token_refused() {
  valid_until_ms_ = 0;
  if (owns_request()) return;
  next_ = Asking::nonce;
  retry(backoff_);
}

void TokenClient::interrupted() {
  asking_ = Asking::nothing;
  next_ = Asking::nonce;
  ask_at_ms_ = 0;
}

void TokenClient::begin() {
  switch (next_) {
    case Asking::enrolment:
      return ask_enrolment();
    case Asking::token:
      return ask_token();
    default:
      return ask_nonce();
  }
}

void TokenClient::post(std::string_view path,
                       std::string_view content_type,
                       std::string_view body) {
  std::array<char, max_server_bytes + 32> url{};
  const auto path_at = std::copy(server().begin(), server().end(), url.begin());
  std::copy(path.begin(), path.end(), path_at);
  asked_at_ms_ = clock_.monotonic_ms();
  status_ = 0;
  retry_after_s_ = 0;
  answer_.begin({});
  Fetcher::Request request{{url.data(), server().size() + path.size()}};
  request.content_type = content_type;
  request.body = body;
  fetcher_.get(request);
}

void TokenClient::ask_nonce() {
  asking_ = Asking::nonce;
  post("/api/v1/device/nonce", "application/x-www-form-urlencoded", {});
}

void TokenClient::ask_enrolment() {
  std::array<std::uint8_t, DeviceKey::public_bytes> half{};
  std::array<char, contract::base64url_characters(DeviceKey::public_bytes)> pub{};
  std::array<char, 512> payload{};
  contract::JsonWriter json{payload};
  const std::string_view device_id = settings_.identity->id.view();
  const std::string_view mac = settings_.identity->mac.view();
  const bool has_key = settings_.access->key->public_key(half);
  contract::base64url_encode(half, pub.data());
  json.begin_object();
  json.member("claim", settings_.access->claim);
  if (!is_default_id(device_id, mac)) json.member("id", device_id);
  json.member("mac", mac);
  json.member("nonce", nonce_.view());
  json.member("pub", std::string_view{pub.data(), pub.size()});
  json.end_object();
  const std::size_t length = write_proof(contract::enrolment_kind.type,
                                         {payload.data(), json.finish()},
                                         *settings_.access->key,
                                         hasher_,
                                         work_);
  if (!has_key || json.finish() == 0 || length == 0) return retry(refusals_);
  asking_ = Asking::enrolment;
  post("/api/v1/device/enrol", "application/jose", {work_.data(), length});
}

void TokenClient::ask_token() {
  std::array<char, 512> payload{};
  contract::JsonWriter json{payload};
  json.begin_object();
  json.member("aud", server());
  json.member("id", settings_.identity->id.view());
  json.member("iss", settings_.identity->mac.view());
  json.member("nonce", nonce_.view());
  json.member("sub", settings_.identity->mac.view());
  json.end_object();
  std::copy(grant_prefix.begin(), grant_prefix.end(), work_.begin());
  const std::size_t length = write_proof(contract::assertion_kind.type,
                                         {payload.data(), json.finish()},
                                         *settings_.access->key,
                                         hasher_,
                                         work_.subspan(grant_prefix.size()));
  if (json.finish() == 0 || length == 0) return retry(refusals_);
  asking_ = Asking::token;
  post("/api/v1/device/token",
       "application/x-www-form-urlencoded",
       {work_.data(), grant_prefix.size() + length});
}

void TokenClient::on_header(std::string_view name, std::string_view value) {
  if (equal_ignoring_case(name, "retry-after")) {
    retry_after_s_ = std::min(seconds_of(value), longest_retry_after_s);
  }
}

// Only a good answer to the right question reaches the token; a refusal may bring a nonce.
void TokenClient::on_head(std::uint32_t status) {
  status_ = status;
  if (asking_ == Asking::token && status == 200) {
    life_s_ = 0;
    granted_ = false;
    grant_ = {};
    answer_.begin(token_members);
  } else if ((asking_ == Asking::nonce && status == 200) || status == 401) {
    nonce_.clear();
    answer_.begin(nonce_members);
  }
}

void TokenClient::on_body(std::span<const std::uint8_t> bytes) {
  answer_.feed(bytes, *this);
}

bool TokenClient::on_text_begin(std::size_t member) {
  if (asking_ == Asking::token && status_ == 200 && member == Place::token) {
    valid_until_ms_ = 0;
    token_.clear();
  }
  return true;
}

bool TokenClient::on_text(std::size_t member, char c) {
  if (asking_ != Asking::token || status_ != 200) {
    return contract::base64url_value(c) >= 0 && nonce_.put(c);
  }
  if (member == Place::id) return grant_.id.put(c);
  return (c == '.' || contract::base64url_value(c) >= 0) && token_.put(c);
}

bool TokenClient::on_number(std::size_t member, std::uint32_t value) {
  std::uint32_t& into = member == Place::expires_in ? life_s_
                        : member == Place::time     ? grant_.time
                        : member == Place::keys     ? grant_.keys
                                                    : grant_.seq;
  into = value;
  return true;
}

void TokenClient::on_end() {
  const Asking answered = asking_;
  asking_ = Asking::nothing;
  take_answer(answered);
}

void TokenClient::on_failed() {
  asking_ = Asking::nothing;
  next_ = Asking::nonce;
  retry(backoff_);
}

void TokenClient::take_answer(Asking answered) {
  last_status_ = status_;
  // A nonce may have run out, or been asked for anew: the answer brings the next one.
  const bool whole = answer_.finish();
  if (status_ == 401 && answered != Asking::nonce && whole && !nonce_.empty() &&
      backoff_.failures() < 3) {
    next_ = answered;
    return retry(backoff_);
  }
  if (status_ == 403 || status_ == 409) return refused(answered);
  const bool good = status_ == 200 || status_ == 201;
  if (good && answered == Asking::nonce && whole && !nonce_.empty()) {
    next_ = enrol_first_ ? Asking::enrolment : Asking::token;
    ask_at_ms_ = 0;
    return;
  }
  if (good && answered == Asking::enrolment) {
    enrol_first_ = false;
    claim_shown_ = true;
    next_ = Asking::nonce;
    ask_at_ms_ = 0;
    return;
  }
  next_ = Asking::nonce;
  if (answered == Asking::token && whole && take_token()) {
    last_status_ = 0;
    backoff_.reset();
    refusals_.reset();
    return;
  }
  retry(backoff_);
}

// A device that the server does not know, or no longer lets in. With a claim it enrols, once a
// boot.
void TokenClient::refused(Asking answered) {
  next_ = Asking::nonce;
  if (answered == Asking::enrolment) claim_shown_ = true;
  enrol_first_ = !settings_.access->claim.empty() && !claim_shown_;
  retry(enrol_first_ ? backoff_ : refusals_);
}

void TokenClient::retry(Backoff& backoff) {
  const std::uint64_t wait_ms =
      std::max<std::uint64_t>(backoff.next(random_), std::uint64_t{retry_after_s_} * second_ms);
  retry_after_s_ = 0;
  ask_at_ms_ = clock_.monotonic_ms() + wait_ms;
}

bool TokenClient::take_token() {
  if (token_.empty() || life_s_ == 0) return false;
  if (!grant_.id.empty() && !contract::is_device_id(grant_.id.view())) return false;
  granted_ = true;
  const std::uint64_t life_ms = std::uint64_t{std::min(life_s_, longest_life_s)} * second_ms;
  // Counted from the question: the answer may have been long on its way.
  valid_until_ms_ = asked_at_ms_ + life_ms;
  ask_at_ms_ = asked_at_ms_ + life_ms * (700 + random_.next() % 201) / 1000;
  return true;
}

}  // namespace otaria::device
