#include "server/api/gate.hpp"

#include <spdlog/spdlog.h>

#include "server/access/bearer.hpp"
#include "server/access/token.hpp"
#include "server/api/json.hpp"
#include "server/api/problem.hpp"

namespace otaria::server {
namespace {

constexpr std::string_view anonymous = "anonymous";
constexpr std::string_view our_tokens_begin = "ota_";

Refusal token_required() {
  return {"token_required",
          "this needs an access token, and the request has none",
          "send it as `Authorization: Bearer …`; otaria takes it from --token-file or "
          "OTARIA_TOKEN_FILE"};
}

// One text for a wrong form, an unknown id and a wrong secret: nobody learns which ids exist.
Refusal token_invalid() {
  return {"token_invalid",
          "the access token is none of this server's",
          "check that the token file is the one made for this server; an admin makes a new one "
          "with `otaria token create`"};
}

Refusal forbidden(const Caller& caller, Right right) {
  return {"forbidden",
          caller.actor + " has the role " + caller.roles + ", which does not hold the right `" +
              std::string{name_of(right)} + "`",
          "use a token with the role " + roles_with(right)};
}

Refusal locked(std::int64_t seconds) {
  return {"too_many_failures",
          "more than " + std::to_string(Lockout::failures_allowed) +
              " tokens from this address were refused within a minute",
          "wait " + std::to_string(seconds) + " s, then use a valid token"};
}

std::string challenge(const std::string& code, Right right) {
  std::string text = "Bearer realm=\"otaria\"";
  if (code == "token_required") return text;
  if (code == "forbidden") {
    return text + ", error=\"insufficient_scope\", scope=\"" + std::string{name_of(right)} + "\"";
  }
  return text + ", error=\"invalid_token\"";
}

Caller anybody(const std::string& source) {
  Caller caller;
  caller.actor = caller.roles = "open";
  caller.rights = rights_of(Role::admin);
  caller.source = source;
  return caller;
}

Caller caller_with(const ApiToken& token) {
  Caller caller;
  caller.actor = shown_token(token.id);
  caller.roles = std::string{name_of(token.role)};
  caller.rights = rights_of(token.role);
  caller.product = token.product;
  caller.token_id = token.id;
  caller.expires_at = token.expires_at;
  caller.person = token.person;
  return caller;
}

}  // namespace

std::variant<Caller, Response> Gate::admit(const Request& request,
                                           Right right,
                                           std::string_view verb) {
  const std::string source = source_of(
      request.remote, request.header("x-forwarded-for").value_or(""), settings_.trusted_proxies);
  if (settings_.open) return anybody(source);
  auto identified = identify(request, source);
  if (const auto* refused = std::get_if<Refused>(&identified)) {
    return deny(request, right, verb, *refused, source);
  }
  auto& caller = std::get<Caller>(identified);
  caller.source = source;
  if (!caller.rights.has(right)) {
    return deny(request, right, verb, {forbidden(caller, right), caller.actor}, source);
  }
  return std::move(caller);
}

std::variant<Caller, Gate::Refused> Gate::identify(const Request& request,
                                                   const std::string& source) {
  const auto header = request.header("authorization");
  if (!header) return Refused{token_required(), std::string{anonymous}};
  const std::string key = lockout_key(source);
  if (const auto seconds = lockout_.locked_for(key, now())) {
    return Refused{locked(*seconds), std::string{anonymous}, *seconds};
  }
  const auto text = bearer_token(*header);
  auto identified = !text ? Refused{token_invalid(), std::string{anonymous}}
                    : text->starts_with(our_tokens_begin) ? identify_ours(*text)
                                                          : identify_foreign(*text);
  if (const auto* refused = std::get_if<Refused>(&identified);
      refused != nullptr && refused->refusal.code != "forbidden") {
    lockout_.failed(key, now());
  }
  return identified;
}

std::variant<Caller, Gate::Refused> Gate::identify_ours(std::string_view text) {
  const Refused invalid{token_invalid(), std::string{anonymous}};
  const auto presented = parse_token(text);
  if (!presented) return invalid;
  std::optional<ApiToken> token;
  store_.read([&](StoreView& view) { token = view.token(presented->id); });
  // Without a row the comparison is made all the same, so that time does not tell of one.
  if (!matches(token.value_or(ApiToken{}), presented->secret) || !token) return invalid;
  if (token->revoked_at) {
    return Refused{
        {"token_revoked", shown_token(token->id) + " was revoked", "ask an admin for another one"},
        shown_token(token->id)};
  }
  if (!is_valid_at(*token, now())) {
    return Refused{{"token_expired",
                    shown_token(token->id) + " has expired, at " +
                        std::to_string(token->expires_at) + " (Unix seconds)",
                    "ask an admin for another one"},
                   shown_token(token->id)};
  }
  if (use_is_worth_writing(*token, now())) {
    store_.write(
        [&](StoreTransaction& transaction) { transaction.set_token_used(token->id, now()); });
  }
  return caller_with(*token);
}

std::variant<Caller, Gate::Refused> Gate::identify_foreign(std::string_view text) {
  if (foreign_tokens_ == nullptr) return Refused{token_invalid(), std::string{anonymous}};
  auto verified = foreign_tokens_->verify(text);
  if (!verified) return Refused{verified.refusal(), std::string{anonymous}};
  verified.value().person = verified.value().actor;
  return std::move(verified.value());
}

Response Gate::deny(const Request& request,
                    Right right,
                    std::string_view verb,
                    const Refused& why,
                    const std::string& source) {
  const std::string& code = why.refusal.code;
  denied_.count("api", code);
  if (const auto denial = denials_.note({.actor = why.actor,
                                         .source = source,
                                         .verb = std::string{verb},
                                         .subject = without_secrets(request.path),
                                         .code = code,
                                         .at = now()})) {
    write(*denial);
  }
  Response response = problem(why.refusal);
  if (response.status == 429) {
    response.headers.emplace_back("Retry-After", std::to_string(why.retry_after));
  } else {
    response.headers.emplace_back("WWW-Authenticate", challenge(code, right));
  }
  return response;
}

void Gate::tell_denied(const Request& request,
                       std::string_view door,
                       const std::string& source,
                       const std::string& code) {
  denied_.count(door, code);
  if (const auto denial =
          denials_.note({.actor = std::string{door},
                         .source = source,
                         .verb = request.method + " " + without_secrets(request.path),
                         .subject = without_secrets(request.path),
                         .code = code,
                         .at = now()})) {
    write(*denial);
  }
}

// A denial is no change: when it cannot be written, the answer is a denial all the same.
void Gate::write(const Denial& denial) {
  try {
    store_.write([&](StoreTransaction& transaction) {
      transaction.append_audit(
          {.at = denial.at,
           .actor = denial.actor,
           .source = denial.source,
           .verb = denial.verb,
           .subject = denial.subject,
           .outcome = "denied",
           .detail = contract::audit_detail(
               {{"code", denial.code}, {"repeated", static_cast<std::int64_t>(denial.repeated)}})});
    });
  } catch (const DatabaseError& error) {
    spdlog::error("a denial from {} is missing in the audit log: {}", denial.source, error.what());
  }
}

void Gate::record(const Request& request, const Response& response, std::string_view verb) {
  const Caller& caller = *request.caller;
  const bool refused = response.status >= 400;
  if (!refused && caller.audited) return;
  std::string detail = "{}";
  if (refused) {
    detail = contract::audit_detail(
        {{"code", problem_code(response.body)}, {"status", std::int64_t{response.status}}});
  }
  store_.write([&](StoreTransaction& transaction) {
    transaction.append_audit({.at = now(),
                              .actor = caller.actor,
                              .source = caller.source,
                              .verb = std::string{verb},
                              .subject = without_secrets(request.path),
                              .outcome = refused ? "refused" : "done",
                              .detail = detail});
  });
}

EventSource Gate::while_valid(EventSource events, const Caller& caller) {
  return [this,
          events = std::move(events),
          id = caller.token_id,
          ends = caller.expires_at]() -> std::optional<std::string> {
    if (ends != 0 && now() >= ends) return std::nullopt;
    if (!id.empty()) {
      const std::scoped_lock lock{revoked_mutex_};
      if (revoked_.contains(id)) return std::nullopt;
    }
    return events();
  };
}

void Gate::on_revoked(const std::string& token_id) {
  const std::scoped_lock lock{revoked_mutex_};
  revoked_.insert(token_id);
}

void Gate::tell_denials(bool all) {
  for (const Denial& denial : denials_.due(now(), all)) write(denial);
}

}  // namespace otaria::server
