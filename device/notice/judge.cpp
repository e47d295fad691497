#include "device/notice/judge.hpp"

#include <algorithm>

#include "contract/defect.hpp"
#include "contract/semver.hpp"
#include "device/result/figures.hpp"

namespace otaria::device {

Status judge_channel(const contract::Notice& notice, const Identity& identity) {
  if (identity.development) return {};
  const auto is_plain = [](const contract::Url& url) {
    return !url.empty() && !url.view().starts_with("https:");
  };
  if (!identity.plain_http && (is_plain(notice.url) || is_plain(notice.manifest))) {
    return Error{
        Fault::bad_notice, static_cast<std::int64_t>(contract::Defect::bad_value), plain_http_url};
  }
  if (notice.manifest.empty()) return Error{Fault::manifest_required};
  return {};
}

Status judge(const contract::Notice& notice, const Situation& situation) {
  if (!situation.development) {
    if (notice.manifest.empty()) return Error{Fault::manifest_required};
    if (!situation.keys) return Error{Fault::unknown_key};  // nothing can be proven genuine
  }
  if (asks_for_manifest(notice, situation)) {  // all else is for what is signed to say
    const bool late = notice.deadline && situation.unix_s && *situation.unix_s > *notice.deadline;
    return late ? Error{Fault::notice_expired, *situation.unix_s, *notice.deadline} : Error{};
  }
  if (notice.size && *notice.size > situation.max_image) {
    return Error{Fault::too_large, *notice.size, situation.max_image};
  }
  if (notice.deadline && situation.unix_s && *situation.unix_s > *notice.deadline) {
    return Error{Fault::notice_expired, *situation.unix_s, *notice.deadline};
  }
  if (notice.force) return {};
  if (!contract::is_newer(notice.version.view(), situation.running_version))
    return Error{Fault::not_newer};
  if (situation.failed_attempts >= situation.failed_attempts_limit) {
    return Error{
        Fault::attempts_exhausted, situation.failed_attempts, situation.failed_attempts_limit};
  }
  return {};
}

std::uint32_t courtesy_wait_s(const contract::Notice& notice,
                              std::optional<std::uint32_t> unix_s,
                              std::uint32_t random) {
  if (notice.force) return 0;
  const auto spread = static_cast<std::uint32_t>(random % (notice.spread_s + 1ULL));
  const std::uint32_t until_window = notice.not_before && unix_s && *notice.not_before > *unix_s
                                         ? *notice.not_before - *unix_s
                                         : 0;
  // Within the window the fleet still spreads, or it would start as one when the window opens.
  return until_window > 0xFFFFFFFFU - spread ? 0xFFFFFFFFU : until_window + spread;
}

}  // namespace otaria::device
