#include "server/api/problem.hpp"

#include <array>
#include <string_view>

#include "server/api/json.hpp"
#include "server/http/server.hpp"

namespace otaria::server {
namespace {

struct Row {
  std::string_view code;
  int status;
};

// clang-format off
constexpr std::array rows{
  Row{"unknown_release", 404},   Row{"unknown_device", 404},    Row{"unknown_update", 404},
  Row{"not_found", 404},         Row{"release_exists", 409},    Row{"ambiguous_release", 409},
  Row{"already_final", 409},     Row{"too_large", 422},         Row{"image_too_large", 413},
  Row{"not_an_image", 422},      Row{"digest_mismatch", 422},   Row{"wrong_chip", 422},
  Row{"wrong_product", 422},     Row{"wrong_hardware", 422},    Row{"manifest_required", 422},
  Row{"not_newer", 422},         Row{"notice_too_long", 422},   Row{"version_required", 422},
  Row{"bad_version", 422},       Row{"deadline_passed", 422},   Row{"cross_site_request", 403},
  Row{"bad_signature", 422},     Row{"unknown_key", 422},       Row{"revoked_key", 422},
  Row{"bad_notice", 422},        Row{"manifest_mismatch", 422}, Row{"manifest_expired", 422},
  Row{"security_counter", 422},  Row{"wrong_channel", 422},     Row{"step_required", 422},
  Row{"keylist_required", 422},  Row{"bad_keylist", 422},       Row{"keylist_expired", 422},
  Row{"keylist_not_newer", 409}, Row{"keylist_conflict", 409},  Row{"keylist_too_far", 422},
  Row{"url_unsigned", 403},      Row{"url_refused", 403},       Row{"url_expired", 403},
  Row{"unknown_keylist", 404},   Row{"manifest_exists", 409},
  Row{"token_required", 401},    Row{"token_invalid", 401},     Row{"token_expired", 401},
  Row{"token_revoked", 401},     Row{"forbidden", 403},         Row{"too_many_failures", 429},
  Row{"unknown_token", 404},     Row{"import_refused", 422},    Row{"id_conflict", 409},
  Row{"no_key", 409},            Row{"identity_revoked", 409},  Row{"unknown_service", 404},
  Row{"rotation_pending", 409},  Row{"use_nonce", 401},         Row{"claim_refused", 403},
  Row{"not_enrolled", 403},      Row{"device_not_active", 403}, Row{"too_many_requests", 429},
  Row{"token_too_long", 422},    Row{"loopback_only", 403},
  Row{"unknown_approval", 404},  Row{"person_unknown", 403},    Row{"same_person", 403},
  Row{"approval_decided", 409},  Row{"approval_expired", 409},  Row{"approval_mismatch", 409},
  Row{"approval_stale", 409},    Row{"approval_void", 409},     Row{"too_many_approvals", 409},
  Row{"wrong_host", 421},
  Row{"disk_full", 507},         Row{"internal", 500},          Row{"not_ready", 503},
};  // clang-format on

}  // namespace

int status_of(const std::string& code) {
  for (const Row& row : rows) {
    if (row.code == code) return row.status;
  }
  return 400;
}

Response problem(const Refusal& refusal) {
  const int status = status_of(refusal.code);
  Refusal shown = refusal;
  if (shown.code == "image_too_large")
    shown.code = "too_large";  // one word to people, two statuses
  Response response;
  response.status = status;
  response.headers = {{"Content-Type", "application/problem+json"}, {"Cache-Control", "no-store"}};
  response.body = problem_json(status, std::string{reason_phrase(status)}, shown);
  return response;
}

}  // namespace otaria::server
