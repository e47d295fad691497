#include <set>

#include "server/access/caller.hpp"
#include "server/api/access_json.hpp"
#include "server/api/audit_note.hpp"
#include "server/api/gate.hpp"
#include "server/api/handlers.hpp"
#include "server/api/problem.hpp"
#include "server/api/replies.hpp"

namespace otaria::server {
namespace {

constexpr std::int64_t seconds_per_day = 86'400;
constexpr std::size_t tokens_looked_at = 500;

// An id of 40 random bits may be taken, once in many thousand years; then there is a next one.
NewToken add_token(const TokenRequest& wanted, const Request& request, Services& services) {
  for (;;) {
    NewToken made = make_token(random_token_entropy());
    made.kept.role = wanted.role;
    made.kept.product = wanted.product;
    made.kept.name = wanted.name;
    made.kept.person = wanted.person;
    made.kept.creator = request.caller->actor;
    made.kept.created_at = services.now();
    made.kept.expires_at = services.now() + wanted.days * seconds_per_day;
    bool added = false;
    services.store.write([&](StoreTransaction& transaction) {
      added = transaction.add_token(made.kept);
      if (!added) return;
      note(transaction,
           services,
           request,
           "token.create",
           made.kept.id,
           contract::audit_detail({{"role", std::string{name_of(wanted.role)}},
                                   {"product", wanted.product},
                                   {"name", wanted.name},
                                   {"person", wanted.person},
                                   {"expires_at", made.kept.expires_at}}));
    });
    if (added) return made;
  }
}

// Source  reference trust, section 14: the two-person rule is recommended once there are two.
std::string recommendation(const ApiToken& made, Services& services) {
  if (!services.approvals.verbs.empty() || !rights_of(made.role).has(Right::operate)) return {};
  std::vector<ApiToken> tokens;
  services.store.read([&](StoreView& view) { tokens = view.tokens({.limit = tokens_looked_at}); });
  std::set<std::string> persons;
  for (const ApiToken& token : tokens) {
    const bool counts =
        is_valid_at(token, services.now()) && rights_of(token.role).has(Right::operate);
    if (counts) persons.insert(token.person.empty() ? shown_token(token.id) : token.person);
  }
  if (persons.size() < 2) return {};
  return "More than one operator can act now: let a second person approve forced updates and key "
         "lists. Set approvals.force and approvals.keylist_publish, and make tokens with --person.";
}

}  // namespace

Response create_token(const Request& request, const PathParameters&, Services& services) {
  const auto wanted = token_request_from(request.body);
  if (!wanted) return problem(wanted.refusal());
  const NewToken made = add_token(wanted.value(), request, services);
  return json_reply(
      json_of(made.kept, services.now(), made.text, recommendation(made.kept, services)), 201);
}

Response list_tokens(const Request& request, const PathParameters&, Services& services) {
  const auto slice = slice_from(request);
  if (!slice) return problem(slice.refusal());
  std::vector<ApiToken> tokens;
  services.store.read([&](StoreView& view) { tokens = view.tokens(one_more(slice.value())); });
  return list_reply<ApiToken>(
      std::move(tokens),
      slice.value(),
      [now = services.now()](const ApiToken& token) { return json_of(token, now); },
      [](const ApiToken& token) { return token.id; });
}

Response revoke_token(const Request& request, const PathParameters& path, Services& services) {
  std::optional<ApiToken> token;
  services.store.write([&](StoreTransaction& transaction) {
    token = transaction.token(path[0]);
    if (!token) return;
    transaction.revoke_token(path[0], services.now());
    note(transaction,
         services,
         request,
         "token.revoke",
         token->id,
         contract::audit_detail({{"role", std::string{name_of(token->role)}},
                                 {"again", token->revoked_at.has_value()}}));
    token = transaction.token(path[0]);
  });
  if (!token) {
    return problem(
        {"unknown_token", "there is no token with this id", "otaria token list shows the ids"});
  }
  services.gate.on_revoked(token->id);
  return json_reply(json_of(*token, services.now()));
}

}  // namespace otaria::server
