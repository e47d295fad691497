#include "operator/cli/command_tree.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <ctime>
#include <memory>

#include "operator/cli/access_tree.hpp"
#include "operator/cli/cert_tree.hpp"
#include "operator/cli/completion.hpp"
#include "operator/cli/device_verbs.hpp"
#include "operator/cli/identity_tree.hpp"
#include "operator/cli/image_tree.hpp"
#include "operator/cli/monitor.hpp"
#include "operator/cli/release_verbs.hpp"
#include "operator/cli/trust_tree.hpp"
#include "operator/cli/up.hpp"
#include "operator/cli/update_verbs.hpp"

namespace otaria::cli {
namespace {

CLI::App* add_group(CLI::App& app, const char* name, const char* what) {
  CLI::App* group = app.add_subcommand(name, what);
  group->require_subcommand(1);
  return group;
}

template <typename Run>
void on_parse(CLI::App* verb, Request& request, Run run) {
  verb->callback([&request, run] { request.verb = run; });
}

void check_limit(CLI::App* verb, std::size_t& limit) {
  verb->add_option("--limit", limit, "At most so many, newest first; 0: all")
      ->type_name("N")
      ->capture_default_str();
}

void add_release(CLI::App& app, Request& request) {
  CLI::App* group = add_group(app, "release", "Publish firmware and see what is published");
  {
    auto a = std::make_shared<PublishArguments>();
    CLI::App* verb =
        add_verb(*group,
                 "publish",
                 "Upload an image and make it a release; with --key signed",
                 "otaria release publish build/firmware.bin --version 1.4.0 --key release.key");
    verb->add_option("file", a->file, "The image: the .bin file of the build")
        ->required()
        ->type_name("FILE");
    add_manifest_options(*verb, a->what);
    add_signing_options(*verb, a->how);
    verb->add_option("--notes", a->notes, "What has changed")->type_name("TEXT");
    on_parse(verb, request, [a](Context& context) { return publish_release(context, *a); });
  }
  {
    auto a = std::make_shared<ReleaseFilter>();
    CLI::App* verb =
        add_verb(*group, "list", "List releases", "otaria release list --product sensor");
    verb->add_option("--product", a->product, "Only of this product")->type_name("P");
    verb->add_option("--version", a->version, "Only of this version")->type_name("V");
    check_limit(verb, a->limit);
    on_parse(verb, request, [a](Context& context) { return list_releases(context, *a); });
  }
  {
    struct Show {
      std::string name, product;
    };
    auto a = std::make_shared<Show>();
    CLI::App* verb = add_verb(*group, "show", "Show one release", "otaria release show 1.4.0");
    verb->add_option("release", a->name, "Its id, or its version")
        ->required()
        ->type_name("ID|VERSION");
    verb->add_option("--product", a->product, "Which product's, when several have this version")
        ->type_name("P");
    on_parse(verb, request, [a](Context& context) {
      return show_release(context, a->name, a->product);
    });
  }
  add_release_signing_verbs(*group, request);
}

template <typename Parse>
CLI::Validator validated(Parse parse, const char* form) {
  return CLI::Validator(
      [parse, form](std::string& text) {
        return parse(text) ? std::string() : fmt::format("`{}` is no {}", text, form);
      },
      "");
}

std::int64_t now() {
  return static_cast<std::int64_t>(std::time(nullptr));
}

void add_update_send(CLI::App& group, Request& request) {
  struct Send {
    SendArguments values;
    std::string spread, not_before, deadline;
  };
  auto a = std::make_shared<Send>();
  CLI::App* verb = add_verb(group,
                            "send",
                            "Send a release to devices",
                            "otaria update send sensor_A1B2 sensor_C3D4 --release 1.4.0 --wait");
  const auto is_duration =
      validated([](const std::string& text) { return duration_from(text).has_value(); },
                "duration like 300, 5m or 2h");
  const auto is_time =
      validated([](const std::string& text) { return time_from(text, now()).has_value(); },
                "time like +2h, 2026-11-24T20:00:00Z or Unix seconds");
  verb->add_option("devices", a->values.devices, "Device ids")->required()->type_name("DEVICE");
  verb->add_option("--release", a->values.release, "Version, or id of a release")
      ->required()
      ->type_name("VERSION|ID");
  verb->add_option(
          "--product", a->values.product, "Which product's release, when several have this version")
      ->type_name("P");
  verb->add_flag("--force",
                 a->values.force,
                 "Install an equal or older version too; skips delays, never a check of the image");
  verb->add_flag("--preflight",
                 a->values.preflight,
                 "Let the server refuse what a device would refuse as not newer");
  verb->add_option(
          "--spread", a->spread, "Each device starts after a random delay of up to S (300, 5m)")
      ->type_name("S")
      ->check(is_duration);
  verb->add_option("--not-before",
                   a->not_before,
                   "Start at T at the earliest (+2h, 2026-11-24T20:00:00Z, Unix seconds)")
      ->type_name("T")
      ->check(is_time);
  verb->add_option("--deadline", a->deadline, "Refuse after T")->type_name("T")->check(is_time);
  verb->add_flag("--wait",
                 a->values.wait,
                 "Show progress until all have ended; exit 0 only when all succeeded");
  verb->add_option("--timeout",
                   a->values.timeout_s,
                   "With --wait: stop watching after S seconds, exit 3 (0: never)")
      ->type_name("S");
  on_parse(verb, request, [a](Context& context) {
    a->values.spread_s = duration_from(a->spread).value_or(0);
    a->values.not_before = time_from(a->not_before, now()).value_or(0);
    a->values.deadline = time_from(a->deadline, now()).value_or(0);
    return send_update(context, a->values);
  });
}

void add_update(CLI::App& app, Request& request) {
  CLI::App* group = add_group(app, "update", "Send releases to devices and follow them");
  add_update_send(*group, request);
  {
    auto a = std::make_shared<UpdateFilter>();
    CLI::App* verb = add_verb(*group, "list", "List updates", "otaria update list --open");
    verb->add_option("--device", a->device, "Only of this device")->type_name("DEVICE");
    verb->add_option("--state", a->state, "Only in this state: offered, downloading, failed, …")
        ->type_name("STATE");
    verb->add_flag("--open", a->open, "Only those that have not ended");
    check_limit(verb, a->limit);
    on_parse(verb, request, [a](Context& context) { return list_updates(context, *a); });
  }
  {
    auto id = std::make_shared<std::string>();
    CLI::App* verb = add_verb(*group,
                              "show",
                              "Show one update with its history",
                              "otaria update show 01JD8Z6M5V3T4R2Q1P0N9M8K7J");
    verb->add_option("update", *id, "Its id")->required()->type_name("ID");
    on_parse(verb, request, [id](Context& context) { return show_update(context, *id); });
  }
  {
    struct Watched {
      std::vector<std::string> ids;
      std::string device;
      unsigned timeout_s = 0;
    };
    auto a = std::make_shared<Watched>();
    CLI::App* verb = add_verb(*group,
                              "watch",
                              "Show progress until the updates have ended",
                              "otaria update watch --device sensor_A1B2");
    verb->add_option("updates", a->ids, "Update ids (none: all that are open)")->type_name("ID");
    verb->add_option("--device", a->device, "The open updates of this device")->type_name("DEVICE");
    verb->add_option("--timeout", a->timeout_s, "Stop watching after S seconds, exit 3 (0: never)")
        ->type_name("S");
    on_parse(verb, request, [a](Context& context) {
      return watch_verb(context, a->ids, a->device, a->timeout_s);
    });
  }
  {
    auto ids = std::make_shared<std::vector<std::string>>();
    CLI::App* verb = add_verb(*group,
                              "withdraw",
                              "Call updates back that are not installed yet",
                              "otaria update withdraw 01JD8Z6M5V3T4R2Q1P0N9M8K7J");
    verb->add_option("updates", *ids, "Update ids")->required()->type_name("ID");
    on_parse(verb, request, [ids](Context& context) { return withdraw_updates(context, *ids); });
  }
}

void add_device(CLI::App& app, Request& request) {
  CLI::App* group = add_group(app, "device", "See devices and what they reported");
  {
    struct List {
      std::string query;
      std::size_t limit = 100;
    };
    auto a = std::make_shared<List>();
    CLI::App* verb = add_verb(*group, "list", "List devices", "otaria device list 1.3.0");
    verb->add_option("query", a->query, "Part of an id, MAC or version")->type_name("TEXT");
    check_limit(verb, a->limit);
    on_parse(
        verb, request, [a](Context& context) { return list_devices(context, a->query, a->limit); });
  }
  {
    auto id = std::make_shared<std::string>();
    CLI::App* verb = add_verb(
        *group, "show", "Show one device and its latest updates", "otaria device show sensor_A1B2");
    verb->add_option("device", *id, "Its id")->required()->type_name("DEVICE");
    on_parse(verb, request, [id](Context& context) { return show_device(context, *id); });
  }
  {
    struct History {
      std::string id, update;
    };
    auto a = std::make_shared<History>();
    CLI::App* verb = add_verb(*group,
                              "history",
                              "Everything the device has reported, oldest first",
                              "otaria device history sensor_A1B2");
    verb->add_option("device", a->id, "Its id")->required()->type_name("DEVICE");
    verb->add_option("--update", a->update, "Only about this update")->type_name("ID");
    on_parse(
        verb, request, [a](Context& context) { return show_history(context, a->id, a->update); });
  }
}

void add_up(CLI::App& app, Request& request) {
  auto a = std::make_shared<UpArguments>();
  CLI::App* verb = add_verb(app,
                            "up",
                            "Run Mosquitto and otariad on this machine, until Ctrl-C",
                            "otaria up --data ~/otaria --bind 0.0.0.0");
  verb->add_option("--data", a->data, "Folder for database, images, broker state and logs")
      ->type_name("DIR")
      ->capture_default_str();
  verb->add_option(
          "--bind", a->bind, "Address both listen at; 0.0.0.0 lets devices of the network in")
      ->type_name("ADDR")
      ->capture_default_str();
  verb->add_option("--mqtt-port", a->mqtt_port, "The broker's port")
      ->type_name("PORT")
      ->check(CLI::Range(1, 65535))
      ->capture_default_str();
  verb->add_option("--http", a->http, "The API's address, in place of BIND:8080")
      ->type_name("ADDR:PORT");
  verb->add_option("--public-url",
                   a->public_url,
                   "How devices reach the API: the base of every URL in a notice")
      ->type_name("URL");
  on_parse(verb, request, [a](Context& context) { return up(context, *a); });
}

void add_rest(CLI::App& app, Request& request) {
  {
    auto timeout_s = std::make_shared<unsigned>(0);
    CLI::App* verb =
        add_verb(app, "monitor", "Devices and updates, live, until Ctrl-C", "otaria monitor");
    verb->add_option("--timeout", *timeout_s, "Leave after S seconds (0: never)")->type_name("S");
    on_parse(verb, request, [timeout_s](Context& context) { return monitor(context, *timeout_s); });
  }
  {
    auto shell = std::make_shared<std::string>();
    CLI::App* verb = add_verb(app,
                              "completion",
                              "Print a completion script for a shell",
                              "source <(otaria completion bash)");
    verb->add_option("shell", *shell, "bash, zsh or fish")
        ->required()
        ->type_name("SHELL")
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
    on_parse(verb, request, [shell, &app](Context& context) {
      const std::string script = completion_script(app, *shell);
      if (context.json()) {
        context.print({{"shell", *shell}, {"script", script}});
      } else {
        context.out() << script << std::flush;
      }
      return exit_ok;
    });
  }
  CLI::App* verb =
      add_verb(app, "version", "Print the version of this program", "otaria version --json");
  on_parse(verb, request, [](Context& context) {
    if (context.json()) context.print({{"name", "otaria"}, {"version", OTARIA_VERSION}});
    context.say("otaria " OTARIA_VERSION);
    return exit_ok;
  });
}

}  // namespace

CLI::App* add_verb(CLI::App& parent,
                   const char* name,
                   const char* what,
                   const std::string& example) {
  CLI::App* verb = parent.add_subcommand(name, what);
  verb->footer("Example:\n  " + example);
  return verb;
}

void build_command_tree(CLI::App& app, Request& request) {
  app.name("otaria");
  app.description("Firmware updates for fleets of ESP32-S3 sensors: what an operator does.");
  app.footer(
      "Exit codes: 0 accepted (with --wait: all succeeded), 2 usage, 3 refused or failed, 4 server "
      "unreachable.\nExample:\n  otaria up");
  app.require_subcommand(1);
  app.fallthrough();  // global options may follow the verb
  app.set_version_flag("--version", "otaria " OTARIA_VERSION);
  app.add_option("--server", request.global.server, "URL of otariad")
      ->type_name("URL")
      ->envname("OTARIA_SERVER")
      ->capture_default_str();
  app.add_option("--token-file",
                 request.global.token_file,
                 "File with the access token, readable by you alone")
      ->type_name("FILE")
      ->envname("OTARIA_TOKEN_FILE");
  app.add_option(
         "--ca", request.global.ca_file, "CAs to trust for https, PEM, in place of the system's")
      ->type_name("FILE")
      ->envname("OTARIA_CA_FILE");
  app.add_flag("--json",
               request.global.json,
               "One JSON object (watch, monitor: one per line) in place of text");
  app.add_flag("--quiet", request.global.quiet, "Results and errors only");
  add_image_verbs(app, request);
  add_cert_verbs(app, request);
  add_release(app, request);
  add_trust_verbs(app, request);
  add_update(app, request);
  add_device(app, request);
  add_identity_verbs(app, request);
  add_access_verbs(app, request);
  add_up(app, request);
  add_rest(app, request);
}

}  // namespace otaria::cli
