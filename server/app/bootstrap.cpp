#include "server/app/bootstrap.hpp"

#include <spdlog/spdlog.h>

#include "contract/openssl/crypto.hpp"
#include "server/access/token.hpp"

namespace otaria::server {
namespace {

constexpr std::int64_t seconds_per_day = 86'400;

}  // namespace

void ensure_admin_token(Store& store, const std::filesystem::path& file, std::int64_t now) {
  bool there = false;
  store.read([&](StoreView& view) { there = view.has_valid_token(Role::admin, now); });
  if (there) return;
  NewToken made = make_token(random_token_entropy());
  made.kept.role = Role::admin;
  made.kept.name = "bootstrap";
  made.kept.creator = "otariad";
  made.kept.created_at = now;
  made.kept.expires_at = now + default_token_days * seconds_per_day;
  // The file first: a cut between the two leaves a file that opens nothing, and the next start
  // makes both anew.
  crypto::write_secret_file(file, made.text + "\n");
  store.write([&](StoreTransaction& transaction) {
    transaction.add_token(made.kept);
    transaction.append_audit(
        {.at = now,
         .actor = "otariad",
         .verb = "token.create",
         .subject = made.kept.id,
         .outcome = "done",
         .detail = contract::audit_detail({{"role", std::string{name_of(made.kept.role)}},
                                           {"name", made.kept.name},
                                           {"expires_at", made.kept.expires_at}})});
  });
  spdlog::warn("no admin token was valid: {} holds a new one, {}, for {} days",
               std::filesystem::absolute(file).lexically_normal().string(),
               shown_token(made.kept.id),
               default_token_days);
}

}  // namespace otaria::server
