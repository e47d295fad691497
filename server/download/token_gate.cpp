#include "server/download/token_gate.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace otaria::server {
namespace {

constexpr std::string_view scheme = "Bearer ";

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// RFC 9110, 11.1: the scheme's name has no case.
bool is_bearer(std::string_view authorization) {
  if (authorization.size() <= scheme.size()) return false;
  return std::equal(scheme.begin(), scheme.end(), authorization.begin(), [](char a, char b) {
    const char lower = b >= 'A' && b <= 'Z' ? static_cast<char>(b - 'A' + 'a') : b;
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == lower;
  });
}

}  // namespace

TokenGate::Seen TokenGate::look_at(const std::filesystem::path& file) {
  struct stat status {};
  if (stat(file.c_str(), &status) != 0) return {};
  return {.there = true,
          .inode = status.st_ino,
          .size = static_cast<std::uint64_t>(status.st_size),
          .changed_s = status.st_mtim.tv_sec,
          .changed_ns = status.st_mtim.tv_nsec};
}

void TokenGate::read_key_set() {
  auto reading = token::KeySet::parse(text_of(key_set_file_));
  if (!reading.keys) {
    spdlog::error("downloads by token: {}: {}", key_set_file_.string(), reading.error);
  }
  keys_ = std::move(reading.keys);
}

void TokenGate::read_denylist() {
  auto reading = token::Denylist::parse(text_of(denylist_file_));
  if (!reading.list) {
    spdlog::error("downloads by token: {}: {}", denylist_file_.string(), reading.error);
  }
  denied_ = std::move(reading.list);
}

void TokenGate::read_again() {
  const Seen keys = look_at(key_set_file_);
  if (keys != key_set_seen_) {
    key_set_seen_ = keys;
    read_key_set();
  }
  const Seen denied = look_at(denylist_file_);
  if (denied != denylist_seen_) {
    denylist_seen_ = denied;
    read_denylist();
  }
}

TokenGate::Verdict TokenGate::judge(std::string_view authorization, std::int64_t now) {
  if (!is_bearer(authorization)) return Verdict::missing;
  const std::scoped_lock lock{mutex_};
  read_again();
  if (!keys_ || !denied_) return Verdict::refused;
  const auto verdict =
      checker_.check(authorization.substr(scheme.size()),
                     {},
                     *keys_,
                     *denied_,
                     now,
                     token::AclClaim::optional);  // a token for RabbitMQ has scopes in its place
  if (verdict.ok()) return Verdict::good;
  spdlog::info("downloads by token: refused, {}", token::name_of(verdict.refusal));
  return Verdict::refused;
}

}  // namespace otaria::server
