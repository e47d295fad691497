#include "operator/cli/access_tree.hpp"

#include <CLI/CLI.hpp>
#include <memory>

#include "operator/cli/approval_verbs.hpp"
#include "operator/cli/audit_verbs.hpp"
#include "operator/cli/image_tree.hpp"
#include "operator/cli/token_verbs.hpp"

namespace otaria::cli {
namespace {

void add_token_create(CLI::App& group, Request& request) {
  auto a = std::make_shared<TokenArguments>();
  CLI::App* verb =
      add_verb(group,
               "create",
               "Make a token; its text is shown once, or written to a file of mode 0600",
               "otaria token create --role agent-ci --product sensor --name ci --out ci.token");
  verb->add_option(
          "--role", a->role, "viewer, publisher, operator, admin, auditor, provisioner or agent-ci")
      ->required()
      ->type_name("R");
  verb->add_option("--name", a->name, "What it is for, for people")->type_name("N");
  verb->add_option("--product", a->product, "The one product that agent-ci may publish for")
      ->type_name("P");
  verb->add_option("--person",
                   a->person,
                   "Whose it is: where two persons are needed, tokens of one person count once")
      ->type_name("WHO");
  verb->add_option("--days", a->days, "How long it is valid")
      ->type_name("D")
      ->check(CLI::Range(1, 3650))
      ->capture_default_str();
  verb->add_option("--out", a->out, "Write the token to this new file in place of printing it")
      ->type_name("FILE");
  verb->callback([&request, a] {
    request.verb = [a](Context& context) { return create_token(context, *a); };
  });
}

void add_token(CLI::App& app, Request& request) {
  CLI::App* group = app.add_subcommand("token", "Access tokens for people and programs");
  group->require_subcommand(1);
  add_token_create(*group, request);
  {
    auto limit = std::make_shared<std::size_t>(100);
    CLI::App* verb =
        add_verb(*group, "list", "List tokens, without their text", "otaria token list");
    verb->add_option("--limit", *limit, "At most so many, newest first; 0: all")
        ->type_name("N")
        ->capture_default_str();
    verb->callback([&request, limit] {
      request.verb = [limit](Context& context) { return list_tokens(context, *limit); };
    });
  }
  auto id = std::make_shared<std::string>();
  CLI::App* verb =
      add_verb(*group, "revoke", "Refuse a token from now on", "otaria token revoke k7m3xq2w");
  verb->add_option("token", *id, "Its id, the 8 characters behind ota_")
      ->required()
      ->type_name("ID");
  verb->callback([&request, id] {
    request.verb = [id](Context& context) { return revoke_token(context, *id); };
  });
}

void add_audit_verify(CLI::App& group, Request& request) {
  auto a = std::make_shared<VerifyArguments>();
  CLI::App* verb = add_verb(group,
                            "verify",
                            "Follow the log's hash chain, and hold it against signed checkpoints",
                            "otaria audit verify --file log.jsonl --checkpoints "
                            "audit-checkpoints.jws --key audit.pub.pem");
  verb->add_option("--file", a->file, "An export, in place of the server's log")
      ->type_name("EXPORT");
  verb->add_option("--checkpoints", a->checkpoints, "The checkpoints that the server appended")
      ->type_name("FILE");
  verb->add_option("--key", a->key, "Public half of the audit key, PEM")
      ->type_name("AUDIT_PUBLIC_KEY");
  verb->callback([&request, a] {
    request.verb = [a](Context& context) { return verify_audit(context, *a); };
  });
}

void add_audit(CLI::App& app, Request& request) {
  CLI::App* group =
      app.add_subcommand("audit", "Who did what, and whether that record was changed");
  group->require_subcommand(1);
  {
    auto a = std::make_shared<AuditFilter>();
    CLI::App* verb =
        add_verb(*group, "list", "List what was done", "otaria audit list --verb update.send");
    verb->add_option("--actor", a->actor, "Only by this actor: ota_ and a token's id")
        ->type_name("ACTOR");
    verb->add_option("--verb", a->verb, "Only this: update.send, token.create, …")
        ->type_name("VERB");
    verb->add_option("--limit", a->limit, "At most so many, newest first; 0: all")
        ->type_name("N")
        ->capture_default_str();
    verb->callback([&request, a] {
      request.verb = [a](Context& context) { return list_audit(context, *a); };
    });
  }
  auto out = std::make_shared<std::string>();
  CLI::App* verb = add_verb(*group,
                            "export",
                            "Write the whole log, one JSON object per line, oldest first",
                            "otaria audit export --out log.jsonl");
  verb->add_option("--out", *out, "File to write (none: standard output)")->type_name("FILE");
  verb->callback([&request, out] {
    request.verb = [out](Context& context) { return export_audit(context, *out); };
  });
  add_audit_verify(*group, request);
}

void add_approval_decisions(CLI::App& group, Request& request) {
  struct Decision {
    std::string id, text;
  };
  {
    auto a = std::make_shared<Decision>();
    CLI::App* verb = add_verb(group,
                              "approve",
                              "Have what another person asked for done",
                              "otaria approval approve 01JD3QZ7 --digest 5f70bf18a086007016e9…");
    verb->add_option("approval", a->id, "Its id")->required()->type_name("ID");
    verb->add_option("--digest", a->text, "Only if it is this (none: what is shown now)")
        ->type_name("HEX");
    verb->callback([&request, a] {
      request.verb = [a](Context& context) { return approve(context, a->id, a->text); };
    });
  }
  auto a = std::make_shared<Decision>();
  CLI::App* verb = add_verb(group,
                            "reject",
                            "Have it not done; who asked for it may take it back so too",
                            "otaria approval reject 01JD3QZ7 --reason \"wrong release\"");
  verb->add_option("approval", a->id, "Its id")->required()->type_name("ID");
  verb->add_option("--reason", a->text, "For the other person and the audit log")
      ->type_name("TEXT");
  verb->callback([&request, a] {
    request.verb = [a](Context& context) { return reject(context, a->id, a->text); };
  });
}

void add_approval(CLI::App& app, Request& request) {
  CLI::App* group = app.add_subcommand("approval", "What waits for a second person");
  group->require_subcommand(1);
  struct List {
    std::string state;
    std::size_t limit = 100;
  };
  {
    auto a = std::make_shared<List>();
    CLI::App* verb =
        add_verb(*group, "list", "List what waits for a second person", "otaria approval list");
    verb->add_option("--state", a->state, "pending, done, rejected, expired or all (pending)")
        ->type_name("STATE")
        ->check(CLI::IsMember({"pending", "done", "rejected", "expired", "all"}));
    verb->add_option("--limit", a->limit, "At most so many, newest first; 0: all")
        ->type_name("N")
        ->capture_default_str();
    verb->callback([&request, a] {
      request.verb = [a](Context& context) { return list_approvals(context, a->state, a->limit); };
    });
  }
  auto id = std::make_shared<std::string>();
  CLI::App* verb =
      add_verb(*group, "show", "Show all that would be done", "otaria approval show 01JD3QZ7");
  verb->add_option("approval", *id, "Its id")->required()->type_name("ID");
  verb->callback([&request, id] {
    request.verb = [id](Context& context) { return show_approval(context, *id); };
  });
  add_approval_decisions(*group, request);
}

}  // namespace

void add_access_verbs(CLI::App& app, Request& request) {
  add_token(app, request);
  add_approval(app, request);
  add_audit(app, request);
}

}  // namespace otaria::cli
