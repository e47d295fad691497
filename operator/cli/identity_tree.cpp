#include "operator/cli/identity_tree.hpp"

#include <CLI/CLI.hpp>
#include <memory>

#include "operator/cli/identity_verbs.hpp"
#include "operator/cli/image_tree.hpp"

namespace otaria::cli {
namespace {

void add_registration(CLI::App& group, Request& request) {
  {
    auto file = std::make_shared<std::string>();
    CLI::App* verb = add_verb(group,
                              "import",
                              "Register devices with the keys that the factory has read",
                              "otaria device import factory.csv");
    verb->add_option("file", *file, "CSV with id,mac,public_key[,product][,hardware], or JSON")
        ->required()
        ->type_name("FILE");
    verb->callback([&request, file] {
      request.verb = [file](Context& context) { return import_devices(context, *file); };
    });
  }
  {
    auto a = std::make_shared<ClaimArguments>();
    CLI::App* verb = add_verb(group,
                              "claim",
                              "Make one-time codes with which devices enrol",
                              "otaria device claim a4cf12e0a1b2 sensor_C3D4");
    verb->add_option("devices", a->devices, "MACs (12 lower-case hex digits) or ids")
        ->required()
        ->type_name("MAC|DEVICE");
    verb->add_option("--product", a->product, "What they are")->type_name("P");
    verb->add_option("--hardware", a->hardware, "On which board")->type_name("H");
    verb->callback([&request, a] {
      request.verb = [a](Context& context) { return claim_devices(context, *a); };
    });
  }
  struct List {
    std::string query, state;
    std::size_t limit = 100;
  };
  auto a = std::make_shared<List>();
  CLI::App* verb = add_verb(group,
                            "identities",
                            "List who is registered, and in which state",
                            "otaria device identities --state pending");
  verb->add_option("query", a->query, "Part of an id or MAC")->type_name("TEXT");
  verb->add_option("--state", a->state, "Only in this state")
      ->type_name("STATE")
      ->check(CLI::IsMember({"pending", "active", "suspended", "revoked", "retired"}));
  verb->add_option("--limit", a->limit, "At most so many, newest first; 0: all")
      ->type_name("N")
      ->capture_default_str();
  verb->callback([&request, a] {
    request.verb = [a](Context& context) {
      return list_identities(context, a->query, a->state, a->limit);
    };
  });
}

void add_state_verbs(CLI::App& group, Request& request) {
  struct Verb {
    const char* name;
    const char* state;
    const char* what;
  };
  for (const Verb& one : {Verb{"activate", "active", "Let a suspended device have tokens again"},
                          Verb{"suspend", "suspended", "Give a device no tokens for a while"},
                          Verb{"revoke", "revoked", "Shut a device's key out for good"},
                          Verb{"retire", "retired", "Take a device out of service"}}) {
    struct Named {
      std::string id, reason;
    };
    auto a = std::make_shared<Named>();
    const std::string state = one.state;
    CLI::App* verb = add_verb(
        group, one.name, one.what, std::string{"otaria device "} + one.name + " sensor_A1B2");
    verb->add_option("device", a->id, "Its id")->required()->type_name("DEVICE");
    verb->add_option("--reason", a->reason, "For the audit log")->type_name("TEXT");
    verb->callback([&request, a, state] {
      request.verb = [a, state](Context& context) {
        return set_device_state(context, a->id, state, a->reason);
      };
    });
  }
}

void add_rotate(CLI::App& group, Request& request) {
  struct Rotate {
    RotateArguments values;
    std::int64_t lead_s = -1;
  };
  auto a = std::make_shared<Rotate>();
  CLI::App* verb = add_verb(group,
                            "rotate",
                            "Make a new key: published now, used later, so that nobody is dropped",
                            "otaria issuer rotate");
  verb->add_option("--lead", a->lead_s, "Seconds from publication to first use")
      ->type_name("S")
      ->check(CLI::Range(0, 7'776'000));
  verb->add_flag("--withdraw-old",
                 a->values.withdraw_old,
                 "A key was stolen: end all others now, and every token they signed");
  verb->callback([&request, a] {
    request.verb = [a](Context& context) {
      if (a->lead_s >= 0) a->values.lead_s = a->lead_s;
      return rotate_issuer(context, a->values);
    };
  });
}

void add_services(CLI::App& group, Request& request) {
  {
    struct Mint {
      std::string name, file;
    };
    auto a = std::make_shared<Mint>();
    CLI::App* verb = add_verb(group,
                              "token",
                              "Make a broker token for another server or for a reader",
                              "otaria issuer token monitor-lab --out lab.token");
    verb->add_option("name", a->name, "otariad-<n>, or monitor-<name>: reads only")
        ->required()
        ->type_name("NAME");
    verb->add_option("--out", a->file, "Write it there, readable by you alone; else print it")
        ->type_name("FILE");
    verb->callback([&request, a] {
      request.verb = [a](Context& context) { return mint_broker_token(context, a->name, a->file); };
    });
  }
  CLI::App* list =
      add_verb(group, "services", "List who was given broker tokens", "otaria issuer services");
  list->callback([&request] { request.verb = list_broker_tokens; });
  auto name = std::make_shared<std::string>();
  CLI::App* verb = add_verb(
      group, "revoke", "Deny every broker token of a service", "otaria issuer revoke monitor-lab");
  verb->add_option("name", *name, "otariad-<n> or monitor-<name>")->required()->type_name("NAME");
  verb->callback([&request, name] {
    request.verb = [name](Context& context) { return revoke_broker_token(context, *name); };
  });
}

}  // namespace

void add_identity_verbs(CLI::App& app, Request& request) {
  CLI::App* devices = app.get_subcommand("device");
  add_registration(*devices, request);
  add_state_verbs(*devices, request);
  CLI::App* issuer =
      app.add_subcommand("issuer", "The key that signs broker tokens, and tokens for programs");
  issuer->require_subcommand(1);
  CLI::App* show = add_verb(*issuer, "show", "List the issuer's keys", "otaria issuer show");
  show->callback([&request] { request.verb = show_issuer; });
  add_rotate(*issuer, request);
  add_services(*issuer, request);
}

}  // namespace otaria::cli
