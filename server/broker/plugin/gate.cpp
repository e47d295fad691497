#include "server/broker/plugin/gate.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "contract/openssl/crypto.hpp"

namespace otaria::broker_plugin {
namespace {

constexpr std::int64_t longest_between_ticks_s = 2;

constexpr std::array<std::string_view, 4> access_names{
    "read", "publish to", "subscribe to", "unsubscribe from"};

// What a client calls itself goes into a log: printable, short, and between quotes.
std::string shown(std::optional<std::string_view> text) {
  constexpr std::size_t longest = 64;
  if (!text) return "none";
  std::string safe = "\"";
  for (const char c : text->substr(0, longest)) {
    safe += c >= ' ' && c <= '~' && c != '"' && c != '\\' ? c : '?';
  }
  return safe + (text->size() > longest ? "…\"" : "\"");
}

bool is_same_key(const token::KeySet& one, const token::KeySet& other, std::string_view key_id) {
  const auto before = one.find(key_id);
  const auto after = other.find(key_id);
  return before && after && std::equal(before->begin(), before->end(), after->begin());
}

}  // namespace

Gate::Gate(Settings settings, LogSink log)
    : log_{std::move(log)},
      checker_{std::move(settings.issuer), std::move(settings.audience)},
      keys_file_{std::move(settings.jwks), token::KeySet::max_bytes} {
  if (settings.denylist) {
    denylist_file_.emplace(*std::move(settings.denylist), token::Denylist::max_bytes);
  }
}

bool Gate::start(std::int64_t now_s) {
  if (!refresh_keys(now_s) || !refresh_denylist(now_s)) return false;
  log_.about_us(Severity::info,
                "ready: " + std::to_string(keys_.size()) + " issuer keys, " +
                    std::to_string(denied_.size()) + " entries in the denylist");
  return true;
}

// The same complaint is made once, not every second.
void Gate::complain(std::string& last, const WatchedFile& file, const std::string& what) {
  std::string line = file.path().string() + ": " + what;
  if (line == last) return;
  log_.about_us(Severity::warning, line);
  last = std::move(line);
}

bool Gate::refresh_keys(std::int64_t now_s) {
  const bool have_keys = keys_.size() > 0;
  const std::string kept = have_keys ? "; the keys read before stay in force" : "";
  switch (keys_file_.look(now_s)) {
    case WatchedFile::Look::unchanged:
      return have_keys;
    case WatchedFile::Look::missing:
      complain(keys_complaint_, keys_file_, "there is no file of issuer keys" + kept);
      return have_keys;
    case WatchedFile::Look::unreadable:
      complain(keys_complaint_, keys_file_, keys_file_.error() + kept);
      return have_keys;
    case WatchedFile::Look::changed:
      break;
  }
  auto reading = token::KeySet::parse(keys_file_.text());
  if (!reading.keys) {
    complain(keys_complaint_, keys_file_, "no usable issuer keys, " + reading.error + kept);
    return have_keys;
  }
  keys_complaint_.clear();
  take_over(*std::move(reading.keys));
  return true;
}

void Gate::take_over(token::KeySet keys) {
  const token::KeySet before = std::exchange(keys_, std::move(keys));
  if (key_set_++ == 0) return;
  log_.about_us(Severity::info, "issuer keys read again: " + std::to_string(keys_.size()));
  doom(sessions_.take_if(
      [&](const token::Claims& claims) { return !is_same_key(before, keys_, claims.key_id); }));
}

bool Gate::refresh_denylist(std::int64_t now_s) {
  if (!denylist_file_) return true;
  WatchedFile& file = *denylist_file_;
  const std::string kept = denylist_read_ ? "; what was read before stays in force" : "";
  switch (file.look(now_s)) {
    case WatchedFile::Look::unchanged:
      return true;
    case WatchedFile::Look::missing:
      complain(denylist_complaint_,
               file,
               denylist_read_ ? "it is gone" + kept : "there is no denylist yet: nobody is denied");
      return true;
    case WatchedFile::Look::unreadable:
      complain(denylist_complaint_, file, file.error() + kept);
      return false;
    case WatchedFile::Look::changed:
      break;
  }
  auto reading = token::Denylist::parse(file.text());
  if (!reading.list) {
    complain(denylist_complaint_, file, reading.error + kept);
    return false;
  }
  denylist_complaint_.clear();
  denylist_read_ = true;
  denied_ = *std::move(reading.list);
  doom(sessions_.take_if([&](const token::Claims& claims) {
    return denied_.denies(claims.subject, claims.token_id, now_s);
  }));
  return true;
}

void Gate::refresh(std::int64_t now_s) {
  if (now_s == ticked_s_) return;
  ticked_s_ = now_s;
  refresh_keys(now_s);
  refresh_denylist(now_s);
}

void Gate::doom(std::vector<std::string> client_ids) {
  std::move(client_ids.begin(), client_ids.end(), std::back_inserter(doomed_));
}

token::Refusal Gate::judge(const void* client,
                           std::optional<std::string_view> client_id,
                           std::optional<std::string_view> username,
                           std::optional<std::string_view> password,
                           std::int64_t now_s) {
  // Without ticks (per_listener_settings true) files are still read; only kicks are lost.
  if (now_s - ticked_s_ > longest_between_ticks_s) refresh(now_s);
  if (!client_id || !username || !password) return token::Refusal::missing;
  if (password->size() > token::longest_token) return token::Refusal::too_long;
  const contract::Digest digest = crypto::sha256(*password);
  if (const auto* known = sessions_.recall(*client_id, *username, digest, key_set_, now_s)) {
    if (denied_.denies(known->subject, known->token_id, now_s)) return token::Refusal::denied;
    sessions_.resume(client, *client_id);
    return token::Refusal::none;
  }
  auto verdict = checker_.check(*password, {username, client_id}, keys_, denied_, now_s);
  if (verdict.ok()) {
    sessions_.admit(client, std::move(verdict.claims), digest, key_set_, now_s);
  }
  return verdict.refusal;
}

bool Gate::authenticate(const void* client,
                        std::optional<std::string_view> client_id,
                        std::optional<std::string_view> username,
                        std::optional<std::string_view> password,
                        std::int64_t now_s) {
  const token::Refusal why = judge(client, client_id, username, password, now_s);
  if (why == token::Refusal::none) return true;
  log_.about_client("refused client " + shown(client_id) + ", username " + shown(username) + ": " +
                        std::string{token::name_of(why)},
                    now_s);
  return false;
}

bool Gate::authorize(Access access,
                     std::optional<std::string_view> client_id,
                     std::optional<std::string_view> username,
                     std::string_view topic,
                     std::int64_t now_s) {
  const bool permitted =
      client_id && username && sessions_.may(access, *client_id, *username, topic, now_s);
  // Reads are asked for each message and each offline session: no news.
  if (!permitted && access != Access::read) {
    log_.about_client("client " + shown(client_id) + " may not " +
                          std::string{access_names[static_cast<std::size_t>(access)]} + ' ' +
                          shown(topic),
                      now_s);
  }
  return permitted;
}

void Gate::disconnected(const void* client, std::optional<std::string_view> client_id) {
  if (client_id) sessions_.close(client, *client_id);
}

void Gate::tick(std::int64_t now_s, const Kick& kick) {
  if (now_s == ticked_s_) return;
  refresh(now_s);
  std::size_t kicks = 0;
  for (; kicks < max_kicks && !doomed_.empty(); doomed_.pop_front()) {
    if (!sessions_.is_closing(doomed_.front())) continue;  // it has come back with a good token
    log_.about_client("kicked client " + shown(doomed_.front()) + ": denied or key withdrawn",
                      now_s);
    kick(doomed_.front());
    ++kicks;
  }
  for (const std::string& ended : sessions_.take_ended(now_s, max_kicks - kicks)) {
    log_.about_client("kicked client " + shown(ended) + ": its token has ended", now_s);
    kick(ended);
  }
}

}  // namespace otaria::broker_plugin
