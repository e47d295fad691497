#include "server/broker/trust_check.hpp"

#include "server/trust/manifest_file.hpp"

namespace otaria::server {

std::optional<Refusal> TrustCheck::refusal_of(const Release& release) {
  if (!release.manifest) return std::nullopt;
  const auto [found, fresh] = judged_.try_emplace(release.manifest->id);
  if (fresh) found->second = judge(*release.manifest, release.product);
  return found->second;
}

std::optional<Refusal> TrustCheck::judge(const ReleaseManifest& said, const std::string& product) {
  const auto manifest = view_.manifest(said.id);
  if (!manifest || !keys_) {
    throw DatabaseError{"the database has lost manifest " + said.id + " or its key lists", false};
  }
  if (auto refusal = judge_again(*manifest, *keys_, now_)) return refusal;
  const std::uint32_t floor = facts_of(product).floor;
  if (said.security_counter >= floor) return std::nullopt;
  return Refusal{"security_counter",
                 "the release has security counter " + std::to_string(said.security_counter) +
                     ", key list " + std::to_string(keys_->serial) + " admits none below " +
                     std::to_string(floor) + " for " + product,
                 "publish a release with a counter of " + std::to_string(floor) + " or more"};
}

TrustFacts TrustCheck::facts_of(const std::string& product) {
  if (!keys_) return {};
  const auto [found, fresh] = facts_.try_emplace(product);
  if (fresh) {
    found->second.floor = floor_of(*keys_, product);
    found->second.epoch_since = view_.first_serial_of_epoch(keys_->epoch).value_or(0);
  }
  return found->second;
}

}  // namespace otaria::server
