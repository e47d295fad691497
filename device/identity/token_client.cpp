#include "device/identity/token_client.hpp"

#include <algorithm>

#include "contract/device/json_writer.hpp"
#include "contract/trust/base64url.hpp"
#include "contract/trust/byte_source.hpp"
#include "contract/trust/signed_file.hpp"
#include "contract/trust/strict_json.hpp"
#include "device/identity/proof.hpp"

namespace otaria::device {
namespace {

using contract::StrictJson;
using Event = StrictJson::Event;

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

bool is_nonce(std::string_view text) {
  if (text.empty()) return false;
  return std::all_of(
      text.begin(), text.end(), [](char c) { return contract::base64url_value(c) >= 0; });
}

bool is_token(std::string_view text) {
  if (text.empty()) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c == '.' || contract::base64url_value(c) >= 0;
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
  const std::optional<TokenGrant> grant = grant_;
  grant_.reset();
  return grant;
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
  contract::Text<max_server_bytes + 32> url;
  std::array<char, max_server_bytes + 32> text{};
  const std::string_view server = settings_.server.view();
  std::copy(server.begin(), server.end(), text.begin());
  std::copy(path.begin(), path.end(), text.begin() + static_cast<std::ptrdiff_t>(server.size()));
  url.assign({text.data(), server.size() + path.size()});
  asked_at_ms_ = clock_.monotonic_ms();
  status_ = 0;
  retry_after_s_ = 0;
  Fetcher::Request request{url.view()};
  request.content_type = content_type;
  request.body = body;
  fetcher_.get(request);
  answer_length_ = 0;
  answer_too_long_ = false;
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
  const bool has_key = key_->public_key(half);
  contract::base64url_encode(half, pub.data());
  json.begin_object();
  json.member("claim", settings_.claim.view());
  json.member("id", settings_.id.view());
  json.member("mac", settings_.mac.view());
  json.member("nonce", nonce_.view());
  json.member("pub", std::string_view{pub.data(), pub.size()});
  json.end_object();
  const std::size_t length = write_proof(
      contract::enrolment_kind.type, {payload.data(), json.finish()}, *key_, hasher_, answer_);
  if (!has_key || json.finish() == 0 || length == 0) return retry(refusals_);
  asking_ = Asking::enrolment;
  post("/api/v1/device/enrol", "application/jose", {answer_.data(), length});
}

void TokenClient::ask_token() {
  std::array<char, 512> payload{};
  contract::JsonWriter json{payload};
  json.begin_object();
  json.member("aud", settings_.server.view());
  json.member("id", settings_.id.view());
  json.member("iss", settings_.mac.view());
  json.member("nonce", nonce_.view());
  json.member("sub", settings_.mac.view());
  json.end_object();
  std::copy(grant_prefix.begin(), grant_prefix.end(), answer_.begin());
  const std::size_t length = write_proof(contract::assertion_kind.type,
                                         {payload.data(), json.finish()},
                                         *key_,
                                         hasher_,
                                         std::span{answer_}.subspan(grant_prefix.size()));
  if (json.finish() == 0 || length == 0) return retry(refusals_);
  asking_ = Asking::token;
  post("/api/v1/device/token",
       "application/x-www-form-urlencoded",
       {answer_.data(), grant_prefix.size() + length});
}

void TokenClient::on_header(std::string_view name, std::string_view value) {
  if (equal_ignoring_case(name, "retry-after")) {
    retry_after_s_ = std::min(seconds_of(value), longest_retry_after_s);
  }
}

void TokenClient::on_head(std::uint32_t status) {
  status_ = status;
}

void TokenClient::on_body(std::span<const std::uint8_t> bytes) {
  if (bytes.size() > answer_.size() - answer_length_) {
    answer_too_long_ = true;
    return;
  }
  std::copy(
      bytes.begin(), bytes.end(), answer_.begin() + static_cast<std::ptrdiff_t>(answer_length_));
  answer_length_ += bytes.size();
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
  if (status_ == 401 && answered != Asking::nonce && !answer_too_long_ && read_nonce(answer()) &&
      backoff_.failures() < 3) {
    next_ = answered;
    return retry(backoff_);
  }
  if (status_ == 403 || status_ == 409) return refused(answered);
  const bool good = (status_ == 200 || status_ == 201) && !answer_too_long_;
  if (good && answered == Asking::nonce && read_nonce(answer())) {
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
  if (good && answered == Asking::token && read_token(answer())) {
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
  enrol_first_ = !settings_.claim.empty() && !claim_shown_;
  retry(enrol_first_ ? backoff_ : refusals_);
}

void TokenClient::retry(Backoff& backoff) {
  const std::uint64_t wait_ms =
      std::max<std::uint64_t>(backoff.next(random_), std::uint64_t{retry_after_s_} * second_ms);
  retry_after_s_ = 0;
  ask_at_ms_ = clock_.monotonic_ms() + wait_ms;
}

bool TokenClient::read_nonce(std::string_view json_text) {
  contract::MemoryBytes bytes{json_text};
  std::array<char, longest_nonce> text{};
  StrictJson json{bytes, text};
  nonce_.clear();
  if (json.next() != Event::object_begin) return false;
  Event event = json.next();
  for (; event == Event::member; event = json.next()) {
    if (json.text() != "nonce") {
      if (!json.skip()) return false;
      continue;
    }
    if (json.next() != Event::string || json.text_too_long() || !is_nonce(json.text()))
      return false;
    nonce_.assign(json.text());
  }
  return event == Event::object_end && !nonce_.empty();
}

bool TokenClient::read_token(std::string_view json_text) {
  contract::MemoryBytes bytes{json_text};
  std::array<char, max_token_bytes> text{};
  StrictJson json{bytes, text};
  contract::Text<max_token_bytes> token;
  TokenGrant grant;
  std::uint32_t life_s = 0;
  if (json.next() != Event::object_begin) return false;
  Event event = json.next();
  for (; event == Event::member; event = json.next()) {
    const std::string_view name = json.text();
    std::uint32_t* number = name == "expires_in" ? &life_s
                            : name == "time"     ? &grant.time
                            : name == "keys"     ? &grant.keys
                            : name == "seq"      ? &grant.seq
                                                 : nullptr;
    const bool is_token_member = name == "token";
    if (number != nullptr) {
      if (json.next() != Event::integer) return false;
      *number = json.integer();
    } else if (is_token_member || name == "id") {
      if (json.next() != Event::string || json.text_too_long()) return false;
      const bool good = is_token_member
                            ? is_token(json.text()) && token.assign(json.text())
                            : contract::is_device_id(json.text()) && grant.id.assign(json.text());
      if (!good) return false;
    } else if (!json.skip()) {
      return false;
    }
  }
  if (event != Event::object_end || token.empty() || life_s == 0) return false;
  life_s = std::min(life_s, longest_life_s);
  token_ = token;
  grant_ = grant;
  if (!grant.id.empty()) settings_.id = grant.id;
  const std::uint64_t life_ms = std::uint64_t{life_s} * second_ms;
  // Counted from the question: the answer may have been long on its way.
  valid_until_ms_ = asked_at_ms_ + life_ms;
  ask_at_ms_ = asked_at_ms_ + life_ms * (700 + random_.next() % 201) / 1000;
  return true;
}

}  // namespace otaria::device
