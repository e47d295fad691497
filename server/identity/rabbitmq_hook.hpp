#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "contract/token/checker.hpp"
#include "server/identity/issuer.hpp"
#include "server/store/store.hpp"

namespace otaria::server {

/// Answers RabbitMQ's HTTP authentication back end, and so closes what its OAuth 2 one leaves open:
/// it looks at neither username nor client id, and takes a token without end for eternal.
///
/// Only the user question is asked when OAuth 2 authorises, as our configuration says. The others
/// are answered by the topic rules of section 2, so that a broker without it gives no more rights.
/// Answers carry no reason; the log does. Never throws for what a broker sends.
/// Source   reference broker authentication, sections 4.3 and 8; rabbitmq_auth_backend_http.
/// Threads  any. Times in Unix seconds.
class RabbitmqHook {
 public:
  using Fields = std::map<std::string, std::string>;

  RabbitmqHook(Store& store, Issuer& issuer, PublishTemplates also_publish);

  /// `username`, `password` (the token), `client_id`.
  bool user(const Fields& fields, std::int64_t now);
  /// `username`, `vhost`.
  bool vhost(const Fields& fields);
  /// `username`, `resource`, `name`, `permission`.
  bool resource(const Fields& fields);
  /// `username`, `name`, `permission`, `routing_key`.
  bool topic(const Fields& fields);

 private:
  struct Who {
    std::string clientid;
    TopicRules rules;
  };
  std::optional<Who> who(const std::string& username);

  Store& store_;
  Issuer& issuer_;
  const PublishTemplates also_publish_;
  const token::TokenChecker checker_;
};

}  // namespace otaria::server
